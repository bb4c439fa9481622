from __future__ import annotations

import math

import pytest
import torch

from unmask.losses.hypersphere import alignment_loss, uniformity_loss


def test_uniformity_of_three_by_hand():
    # On the circle: opposite points (d^2 = 4) and two at right angles (d^2 = 2).
    embedding = torch.tensor([[1.0, 0.0], [-5.0, 0.0], [0.0, 2.0]])
    by_hand = math.log((math.exp(-8) + 2 * math.exp(-4)) / 3)
    assert float(uniformity_loss(embedding)) == pytest.approx(by_hand)


def test_uniformity_is_highest_where_all_are_one():
    assert float(uniformity_loss(torch.ones(4, 3))) == pytest.approx(0, abs=1e-5)


def test_uniformity_of_one_is_nothing():
    assert float(uniformity_loss(torch.ones(1, 3))) == 0


def test_alignment_by_hand():
    # Real: right angle, d^2 = 2. Forged: opposite, d^2 = 4. Their mean is 3.
    embedding = torch.tensor([[1.0, 0.0], [0.0, 9.0], [1.0, 0.0], [-1.0, 0.0]])
    label = torch.tensor([0.0, 0.0, 1.0, 1.0])
    assert float(alignment_loss(embedding, label)) == pytest.approx(3)


def test_alignment_of_a_class_of_one_counts_nothing():
    embedding = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    label = torch.tensor([0.0, 0.0, 1.0])
    assert float(alignment_loss(embedding, label)) == pytest.approx(1)


def test_both_have_gradients():
    embedding = torch.randn(6, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    label = torch.tensor([0.0, 1.0] * 3)
    (uniformity_loss(embedding) + alignment_loss(embedding, label)).backward()
    assert embedding.grad is not None and embedding.grad.isfinite().all()
    assert embedding.grad.abs().sum() > 0
