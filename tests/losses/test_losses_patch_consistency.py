from __future__ import annotations

import math

import pytest
import torch

from unmask.losses.patch_consistency import patch_consistency_loss


def _softplus(value: float) -> float:
    return math.log(1 + math.exp(value))


def test_two_places_by_hand():
    # Orthogonal features, one place forged: the two alike pairs have cosine 1 and belong
    # together, the two others have cosine 0 and do not.
    features = torch.tensor([[[[1.0, 0.0]], [[0.0, 3.0]]]])
    mask = torch.tensor([[[[0.0, 1.0]]]])
    by_hand = (2 * _softplus(-5) + 2 * _softplus(0)) / 4
    assert float(patch_consistency_loss(features, mask)) == pytest.approx(by_hand, rel=1e-4)


def test_opposite_features_of_one_origin_cost_much():
    features = torch.tensor([[[[1.0, -1.0]]]])
    real = torch.zeros(1, 1, 1, 2)
    by_hand = (2 * _softplus(-5) + 2 * _softplus(5)) / 4
    assert float(patch_consistency_loss(features, real)) == pytest.approx(by_hand, rel=1e-4)


def test_opposite_features_of_two_origins_cost_little():
    features = torch.tensor([[[[1.0, -1.0]]]])
    forged = torch.tensor([[[[0.0, 1.0]]]])
    assert float(patch_consistency_loss(features, forged)) == pytest.approx(_softplus(-5), rel=1e-4)


def test_the_mask_is_averaged_down_and_over_time():
    features = torch.tensor([[[[1.0, -1.0]]]])
    fine = torch.tensor([[[[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]]]).repeat(1, 3, 1, 1)
    assert float(patch_consistency_loss(features, fine)) == pytest.approx(_softplus(-5), rel=1e-4)
