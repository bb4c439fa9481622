from __future__ import annotations

import pytest
import torch
from sklearn.metrics import hinge_loss as published

from unmask.losses.hinge import hinge_loss


def test_agrees_with_scikit_learn():
    logit = torch.tensor([2.0, 0.5, -0.5, -3.0, 0.0])
    label = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0])
    expected = published(2 * label.numpy() - 1, logit.numpy())
    assert float(hinge_loss(logit, label)) == pytest.approx(expected)


def test_beyond_the_margin_nothing_pulls():
    logit = torch.tensor([1.5, -1.5], requires_grad=True)
    loss = hinge_loss(logit, torch.tensor([1.0, 0.0]))
    loss.backward()
    assert float(loss.detach()) == 0
    assert logit.grad.tolist() == [0, 0]
