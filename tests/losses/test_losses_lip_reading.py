from __future__ import annotations

import math

import pytest
import torch

from unmask.losses import lip_reading_loss

STUDENT = torch.tensor([[math.log(2), 0.0, 0.0]])  # 1/2, 1/4, 1/4
TEACHER = torch.tensor([[0.0, math.log(2), 0.0]])  # 1/4, 1/2, 1/4
WORD = torch.tensor([0])


def test_cross_entropy_by_hand():
    assert lip_reading_loss(STUDENT, WORD).item() == pytest.approx(math.log(2))


def test_a_teacher_adds_its_divergence_by_hand():
    # KL = 1/4 log(1/2) + 1/2 log 2 + 1/4 log 1 = 1/4 log 2
    loss = lip_reading_loss(STUDENT, WORD, TEACHER)
    assert loss.item() == pytest.approx(1.25 * math.log(2))
    halved = lip_reading_loss(STUDENT, WORD, TEACHER, teacher_weight=0.5)
    assert halved.item() == pytest.approx(1.125 * math.log(2))


def test_temperature_by_hand():
    # At temperature 1/2 the chances are 4:1:1 and 1:4:1; KL = (4 log 4 - 1 log 4) / 6.
    loss = lip_reading_loss(STUDENT, WORD, TEACHER, temperature=0.5)
    assert loss.item() == pytest.approx(math.log(2) + 0.25 * 0.5 * math.log(4))


def test_it_is_the_mean_over_the_batch():
    both = torch.cat([STUDENT, TEACHER])
    words, teachers = torch.tensor([0, 1]), torch.cat([TEACHER, STUDENT])
    assert lip_reading_loss(both, words, teachers).item() == pytest.approx(1.25 * math.log(2))


def test_a_teacher_of_the_same_mind_adds_nothing():
    alone = lip_reading_loss(STUDENT, WORD)
    torch.testing.assert_close(lip_reading_loss(STUDENT, WORD, STUDENT), alone)


def test_gradients_reach_the_student_alone():
    torch.manual_seed(0)
    student = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    teacher = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    words = torch.tensor([0, 4, 2])
    assert torch.autograd.gradcheck(
        lambda logits: lip_reading_loss(logits, words, teacher.detach(), temperature=2.0), student
    )
    lip_reading_loss(student, words, teacher).backward()
    assert student.grad is not None
    assert teacher.grad is None
