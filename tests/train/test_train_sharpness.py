from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from unmask.detectors import Card
from unmask.train import train
from unmask.train.optimize import optimizer_for
from unmask.train.sharpness import RADIUS, SharpnessAware


def stepped(start: Tensor, rate: float, closures: int = 1) -> tuple[Tensor, list[float]]:
    """A few steps on the sum of fourth powers."""
    weight = start.clone().requires_grad_(True)
    optimizer = SharpnessAware([{"params": [weight]}], rate, 0.0)
    losses: list[float] = []

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = weight.pow(4).sum()
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(closures):
        optimizer.step(closure)
    return weight.detach(), losses


def test_the_gradient_is_that_of_the_worst_point_nearby():
    start = torch.tensor([1.0, -2.0])
    after, losses = stepped(start, rate=0.01)
    gradient = 4 * start**3
    worst = start + RADIUS * gradient / gradient.norm()
    torch.testing.assert_close(after, start - 0.01 * 4 * worst**3)
    assert losses[1] > losses[0]


def test_steps_lower_the_loss():
    _, losses = stepped(torch.tensor([1.0, -2.0]), rate=0.01, closures=5)
    assert losses[-2] < losses[0]


def test_without_a_closure_the_step_is_a_plain_one():
    weight = torch.tensor([3.0], requires_grad=True)
    weight.grad = torch.tensor([2.0])
    SharpnessAware([{"params": [weight]}], 0.5, 0.0).step()
    assert weight.item() == 2.0


def test_a_recipe_gets_it_by_name(toy: Card):
    recipe = toy.recipe.changed({"optimizer": "sam", "momentum": 0.9})
    optimizer = optimizer_for(toy.build(), recipe, 1)
    assert isinstance(optimizer, SharpnessAware)
    assert optimizer.param_groups[0]["momentum"] == 0.9


@pytest.mark.parametrize("schedule", ["late_linear", "constant"])
def test_a_run_with_it_ends(
    toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path, schedule: str
):
    how = {"validation": validation_faces, "workers": 0, "progress": False}
    settings = ["optimizer=sam", f"schedule={schedule}"]
    path = train(toy.name, real_faces, tmp_path / "run", settings=settings, **how)
    assert path.is_file()


def test_a_late_line_ends_at_zero(toy: Card):
    recipe = toy.recipe.changed(
        {"optimizer": "sgd", "schedule": "late_linear", "epochs": 8, "learning_rate": 1.0}
    )
    made = optimizer_for(toy.build(), recipe, 1)
    optimizer, scheduler = made["optimizer"], made["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(8):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates == [1, 1, 1, 1, 1, 1, 1, 0.5]
    assert optimizer.param_groups[0]["lr"] == 0
