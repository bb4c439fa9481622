"""What told pairs apart before their logits grew: pair_separation_loss."""

from __future__ import annotations

import pytest
import torch

from unmask.losses import binary_loss, mask_separation_loss, pair_separation_loss

LABEL = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
PAIR = torch.tensor([3, 3, 5, 5, 8, 8])
LOGIT = torch.tensor([0.2, 1.0, -2.0, -1.5, 4.0, 3.9])


def test_is_the_mean_difference_over_its_root_mean_square():
    apart = torch.tensor([0.8, 0.5, -0.1])
    expected = -apart.mean() / apart.square().mean().sqrt()
    assert pair_separation_loss(LOGIT, LABEL, PAIR).item() == pytest.approx(
        expected.item(), rel=1e-5
    )


def test_neither_the_size_of_logits_nor_what_a_pair_shares_changes_it():
    shared = torch.tensor([30.0, 30.0, -7.0, -7.0, 2.0, 2.0])
    changed = pair_separation_loss(5 * LOGIT + shared, LABEL, PAIR)
    assert changed.item() == pytest.approx(
        pair_separation_loss(LOGIT, LABEL, PAIR).item(), rel=1e-5
    )


def test_the_order_of_the_samples_does_not_matter():
    order = torch.tensor([5, 2, 0, 4, 3, 1])
    shuffled = pair_separation_loss(LOGIT[order], LABEL[order], PAIR[order])
    assert shuffled.item() == pytest.approx(pair_separation_loss(LOGIT, LABEL, PAIR).item())


@pytest.mark.parametrize(("sign", "value"), [(1.0, -1.0), (-1.0, 1.0)])
def test_its_bounds_are_all_pairs_alike_in_the_right_and_the_wrong_order(sign, value):
    logit = PAIR + 2.0 * sign * LABEL
    assert pair_separation_loss(logit, LABEL, PAIR).item() == pytest.approx(value)


@pytest.mark.parametrize(
    "label", [torch.zeros(6), torch.ones(6)], ids=["real alone", "forged alone"]
)
def test_without_pairs_it_is_0_and_has_a_gradient(label):
    logit = LOGIT.clone().requires_grad_()
    loss = pair_separation_loss(logit, label, torch.arange(6))
    loss.backward()
    assert loss.item() == 0
    assert logit.grad is not None and not logit.grad.any()


def test_equal_logits_give_a_finite_gradient_that_separates():
    logit = torch.zeros(6, requires_grad=True)
    pair_separation_loss(logit, LABEL, PAIR).backward()
    assert torch.isfinite(logit.grad).all()
    assert ((logit.grad < 0) == (LABEL > 0.5)).all()


def test_it_finds_a_small_difference_beside_a_large_one_sooner_than_cross_entropy_alone():
    """What the two of a pair share is 100 times what tells them apart."""

    def pairs_in_order(weight: float) -> float:
        torch.manual_seed(0)
        content = torch.randn(512, 8).repeat_interleave(2, 0)
        label = torch.tensor([0.0, 1.0]).repeat(512)
        pair = torch.arange(512).repeat_interleave(2)
        trace = 0.01 * label[:, None] + 0.002 * torch.randn(1024, 1)
        seen = torch.cat([content + 0.005 * torch.randn(1024, 8), trace], 1)
        layer = torch.nn.Linear(9, 1)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        for _ in range(40):
            logit = layer(seen)[:, 0]
            loss = binary_loss(logit, label) + weight * pair_separation_loss(logit, label, pair)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            logit = layer(seen)[:, 0]
        return float((logit[1::2] > logit[::2]).float().mean())

    assert pairs_in_order(0.0) < 0.8 < 0.95 < pairs_in_order(10.0)


def masks(inside: float, outside: float, base: float = 0.0) -> torch.Tensor:
    """A pair of masks (2, 1, 4, 4): the left half was forged."""
    real = torch.full((1, 4, 4), base)
    forged = real.clone()
    forged[..., :2] += inside
    forged[..., 2:] += outside
    return torch.stack([real, forged])


TRUE = torch.zeros(1, 8, 8)
TRUE[..., :4] = 1
TRUE = torch.stack([torch.zeros(1, 8, 8), TRUE])


def of_masks(*pairs: torch.Tensor, true: torch.Tensor = TRUE) -> float:
    count = len(pairs)
    return mask_separation_loss(
        torch.cat(pairs),
        torch.tensor([0.0, 1.0]).repeat(count),
        true.repeat(count, 1, 1, 1),
        torch.arange(count).repeat_interleave(2),
    ).item()


def test_masks_that_stand_out_where_it_was_forged_are_best():
    assert of_masks(masks(2.0, 0.0), masks(2.0, 0.0)) == pytest.approx(-1, abs=1e-5)
    assert of_masks(masks(0.0, 2.0), masks(0.0, 2.0)) == pytest.approx(1, abs=1e-5)


def test_a_mask_that_rises_everywhere_or_is_high_in_both_says_nothing():
    assert of_masks(masks(3.0, 3.0), masks(1.0, 1.0)) == 0
    prior = masks(0.0, 0.0) + 5 * TRUE[1:, :, ::2, ::2]
    assert of_masks(prior, prior) == 0


def test_of_masks_too_it_is_the_mean_difference_over_its_root_mean_square():
    apart = torch.tensor([2.0 - 0.5, 1.0 - 3.0])
    expected = -apart.mean() / apart.square().mean().sqrt()
    found = of_masks(masks(2.0, 0.5, base=-4.0), masks(1.0, 3.0, base=9.0))
    assert found == pytest.approx(expected.item(), rel=1e-4)


def test_where_everything_was_forged_there_is_no_rest():
    everything = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    found = of_masks(masks(1.0, 1.0), masks(3.0, 3.0), true=everything)
    assert found == pytest.approx(-2 / 5**0.5, rel=1e-4)


def test_masks_without_pairs_give_0():
    loss = mask_separation_loss(masks(1.0, 0.0), torch.zeros(2), TRUE, torch.arange(2))
    assert loss.item() == 0
