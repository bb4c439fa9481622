from __future__ import annotations

import math

import pytest
import torch

from unmask.losses import ensemble_loss, lip_reading_loss

LOG_2 = math.log(2)
# Two pictures, two branches, chances 1/2, 1/4, 1/4 each in another order.
LOGITS = torch.tensor(
    [[[LOG_2, 0.0, 0.0], [0.0, LOG_2, 0.0]], [[0.0, 0.0, LOG_2], [0.0, 0.0, LOG_2]]]
)
NUMBER = torch.tensor([0, 2])


def test_branches_are_summed_and_pictures_averaged_by_hand():
    # -log of 1/2 and 1/4, and of 1/2 and 1/2: (log 2 + log 4 + 2 log 2) / 2 pictures.
    assert ensemble_loss(LOGITS, NUMBER).item() == pytest.approx(2.5 * LOG_2)


def test_it_is_the_sum_of_the_branches_own_losses():
    torch.manual_seed(0)
    logits, number = torch.randn(5, 9, 8), torch.randint(8, (5,))
    alone = [torch.nn.functional.cross_entropy(logits[:, b], number) for b in range(9)]
    torch.testing.assert_close(ensemble_loss(logits, number), torch.stack(alone).sum())


def test_its_gradient_is_right():
    torch.manual_seed(0)
    logits = torch.randn(3, 2, 4, dtype=torch.float64, requires_grad=True)
    number = torch.tensor([1, 0, 3])
    assert torch.autograd.gradcheck(lambda x: ensemble_loss(x, number), (logits,))


def test_a_teacher_adds_the_divergence_of_every_branch():
    torch.manual_seed(0)
    logits = torch.randn(3, 2, 4, requires_grad=True)
    teacher = torch.randn(3, 2, 4, requires_grad=True)
    number = torch.tensor([0, 3, 1])
    loss = ensemble_loss(logits, number, teacher)
    expected = sum(
        lip_reading_loss(logits[:, branch], number, teacher[:, branch]) for branch in range(2)
    )
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert teacher.grad is None and logits.grad is not None
    torch.testing.assert_close(ensemble_loss(logits, number, logits), ensemble_loss(logits, number))
