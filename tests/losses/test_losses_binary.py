from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from unmask.losses import binary_loss

LOGIT = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)
LABEL = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)


def test_it_is_what_one_works_out_by_hand():
    by_hand = (math.log1p(math.exp(-2)) + math.log1p(math.exp(-1)) + math.log1p(math.exp(0.5))) / 3
    assert binary_loss(LOGIT, LABEL).item() == pytest.approx(by_hand, rel=1e-12)


def test_it_is_the_cross_entropy_of_two_classes():
    classes = torch.tensor([[0.3, 2.3], [1.0, 0.0], [-0.2, 0.3]], dtype=torch.float64)
    expected = F.cross_entropy(classes, LABEL.long())
    torch.testing.assert_close(binary_loss(classes[:, 1] - classes[:, 0], LABEL), expected)


def test_its_gradient_is_right_and_points_to_the_label():
    logit = LOGIT.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: binary_loss(x, LABEL), (logit,))
    binary_loss(logit, LABEL).backward()
    assert torch.equal(logit.grad < 0, LABEL == 1)


def test_certain_answers_stay_finite():
    far = torch.tensor([1e4, -1e4])
    assert binary_loss(far, torch.tensor([0.0, 1.0])).item() == pytest.approx(1e4)
    assert binary_loss(far, torch.tensor([1.0, 0.0])).item() == 0
