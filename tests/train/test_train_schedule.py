from __future__ import annotations

import pytest
import torch
from torch import nn

from unmask.detectors import Card, Recipe
from unmask.train.optimize import optimizer_for
from unmask.train.schedule import Reductions


def test_a_plateau_waits_for_epochs_without_a_lower_loss():
    plan = Reductions("plateau", epochs=3, factor=0.1)
    assert [plan.after(loss) for loss in (5.0, 4.0, 4.0, 4.5, 4.0)] == [False] * 4 + [True]
    # After a reduction it waits as long again.
    assert [plan.after(4.0) for _ in range(3)] == [False, False, True]


def test_a_better_epoch_starts_the_wait_anew():
    plan = Reductions("plateau", epochs=2, factor=0.1)
    assert [plan.after(loss) for loss in (5.0, 5.0, 4.0, 4.0, 4.0)] == [False] * 4 + [True]


def test_a_step_comes_whatever_the_loss_does():
    plan = Reductions("step", epochs=2, factor=0.1)
    assert [plan.after(loss) for loss in (5.0, 4.0, 3.0, 2.0)] == [False, True, False, True]


def test_rates_of_all_groups_come_down_by_the_factor():
    layers = nn.Linear(1, 1), nn.Linear(1, 1)
    optimizer = torch.optim.SGD(
        [{"params": layers[0].parameters(), "lr": 1.0}, {"params": layers[1].parameters()}], 0.5
    )
    Reductions("step", epochs=1, factor=0.1).reduce(optimizer)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1, 0.05])


def test_when_one_more_reduction_is_due_the_run_is_over():
    plan = Reductions("step", epochs=1, factor=0.1, times=2)
    assert [plan.after(1.0) for _ in range(2)] == [True, True]
    assert not plan.is_over
    assert not plan.after(1.0)
    assert plan.is_over


def test_a_resumed_plan_goes_on_where_it_was():
    first = Reductions("plateau", epochs=3, factor=0.1)
    for loss in (2.0, 2.0, 2.0):
        first.after(loss)
    second = Reductions("plateau", epochs=3, factor=0.1)
    second.resume(first.state())
    assert second.after(2.0)


def test_a_cosine_rises_shortly_and_ends_at_zero(toy: Card):
    recipe = toy.recipe.changed({"schedule": "cosine", "epochs": 10, "learning_rate": 1.0})
    made = optimizer_for(toy.build(), recipe, 40)
    optimizer, scheduler = made["optimizer"], made["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(400):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates[0] == pytest.approx(1 / 20)
    assert max(rates) == pytest.approx(1, abs=0.01)
    top = rates.index(max(rates))
    assert top < 21
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


def test_an_adversary_gets_an_optimizer_of_its_own(toy: Card):
    recipe: Recipe = toy.recipe.changed({"freeze": ("frozen",), "adversary": ("head",)})
    net = toy.build()
    ours, others = optimizer_for(net, recipe, 1)

    def names(optimizer: torch.optim.Optimizer) -> set[str]:
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        return {name.split(".")[0] for name, p in net.named_parameters() if id(p) in held}

    assert names(ours) == {"body"}
    assert names(others) == {"head"}
