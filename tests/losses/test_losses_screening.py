from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unmask.losses import screening_loss
from unmask.losses.screening import rank_loss


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def test_rank_loss_by_hand():
    logit = torch.tensor([0.5, 2.0, -1.0, 1.0])
    label = torch.tensor([0.0, 1.0, 0.0, 1.0])
    pair = torch.tensor([4, 4, 9, 9])
    expected = (softplus(0.5 - 2.0) + softplus(-1.0 - 1.0)) / 2
    assert rank_loss(logit, label, pair).item() == pytest.approx(expected, rel=1e-6)


def test_rank_loss_looks_at_the_difference_only():
    label, pair = torch.tensor([0.0, 1.0]), torch.tensor([1, 1])
    here = rank_loss(torch.tensor([0.0, 3.0]), label, pair)
    there = rank_loss(torch.tensor([100.0, 103.0]), label, pair)
    assert there.item() == pytest.approx(here.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("label", "pair"), [([0.0, 1.0], [1, 2]), ([1.0, 1.0], [3, 3]), ([0.0, 0.0], [3, 3])]
)
def test_without_pairs_the_rank_loss_is_zero_and_has_a_gradient(
    label: list[float], pair: list[int]
):
    logit = torch.tensor([1.0, -1.0], requires_grad=True)
    loss = rank_loss(logit, torch.tensor(label), torch.tensor(pair))
    loss.backward()
    assert loss.item() == 0
    assert logit.grad is not None
    assert logit.grad.tolist() == [0, 0]


def test_screening_loss_by_hand():
    logit = torch.tensor([-1.0, 2.0])
    label = torch.tensor([0.0, 1.0])
    mask = torch.tensor([[[[-2.0]]], [[[1.0]]]])
    true_mask = torch.zeros(2, 1, 2, 2)
    true_mask[1, 0, 0] = 1.0  # the upper half: 0.5 when averaged down
    pixels = (softplus(-2.0) + 3 * 0.5 * softplus(-1.0) + 0.5 * softplus(1.0)) / 2
    picture = (softplus(-1.0) + softplus(-2.0)) / 2
    rank = softplus(-3.0)
    spread = (1.0 + 4.0) / 2
    loss = screening_loss(logit, mask, label, true_mask, torch.tensor([0, 0]))
    assert loss.item() == pytest.approx(2 * pixels + picture + 0.5 * rank + 0.002 * spread)
    bare = screening_loss(
        logit,
        mask,
        label,
        true_mask,
        torch.tensor([0, 0]),
        mask_weight=0,
        rank_weight=0,
        spread_weight=0,
    )
    assert bare.item() == pytest.approx(picture)


def batch(seed: int) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {
        "logit": torch.randn(6, generator=draw, dtype=torch.float64),
        "mask": torch.randn(6, 1, 3, 3, generator=draw, dtype=torch.float64),
        "label": torch.tensor([0.0, 1, 0, 1, 0, 1], dtype=torch.float64),
        "true_mask": torch.rand(6, 1, 6, 6, generator=draw, dtype=torch.float64),
        "pair": torch.tensor([0, 0, 1, 1, 2, 2]),
    }


@given(seed=st.integers(0, 1000), order=st.permutations(range(6)))
def test_the_order_of_the_batch_does_not_matter(seed: int, order: list[int]):
    given_batch = batch(seed)
    turned = {key: value[list(order)] for key, value in given_batch.items()}
    torch.testing.assert_close(screening_loss(**turned), screening_loss(**given_batch))


def test_the_gradient_is_right():
    values = batch(0)
    logit, mask = values.pop("logit"), values.pop("mask")
    assert torch.autograd.gradcheck(
        lambda a, b: screening_loss(a, b, **values),
        (logit.requires_grad_(), mask.requires_grad_()),
    )


def test_a_better_answer_costs_less():
    values = batch(0)
    values["true_mask"] = values["label"].view(6, 1, 1, 1).expand(6, 1, 6, 6)
    sign = 2 * values["label"] - 1
    losses = []
    for strength in (-1.0, 0.0, 1.0):
        values["logit"] = strength * sign
        values["mask"] = strength * sign.view(6, 1, 1, 1).expand(6, 1, 3, 3)
        losses.append(screening_loss(**values).item())
    assert losses == sorted(losses, reverse=True)


def test_huge_logits_stay_finite():
    values = batch(0)
    values["logit"] = torch.full((6,), 1e4, dtype=torch.float64)
    assert torch.isfinite(screening_loss(**values))
