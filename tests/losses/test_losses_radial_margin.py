from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from unmask.errors import UsageError
from unmask.losses import radial_margin_loss, radii_for

DISTANCE = torch.tensor([0.5, 4.0, 2.0, 11.0, 7.0], dtype=torch.float64)
LABEL = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0], dtype=torch.float64)


def test_it_is_what_one_works_out_by_hand():
    # Reals: 0 and 4 - 1 = 3, mean 3 / 2. Fakes: 8 - 2 = 6, 0 and 8 - 7 = 1, mean 7 / 3.
    loss = radial_margin_loss(DISTANCE, LABEL, inner=1.0, outer=8.0)
    assert loss.item() == pytest.approx(3 / 2 + 7 / 3, rel=1e-12)


def test_each_class_counts_the_same_however_many_there_are():
    loss = radial_margin_loss(DISTANCE, LABEL, inner=1.0, outer=8.0)
    more = radial_margin_loss(
        torch.cat([DISTANCE, DISTANCE[2:], DISTANCE[2:]]),
        torch.cat([LABEL, LABEL[2:], LABEL[2:]]),
        inner=1.0,
        outer=8.0,
    )
    torch.testing.assert_close(more, loss)


def test_on_the_right_side_of_its_sphere_nothing_costs():
    distance = torch.tensor([0.042, 1.638], requires_grad=True)
    loss = radial_margin_loss(distance, torch.tensor([0.0, 1.0]), inner=0.042, outer=1.638)
    loss.backward()
    assert loss.item() == 0
    assert distance.grad.tolist() == [0, 0]


@pytest.mark.parametrize(("label", "expected"), [(0.0, 2.0), (1.0, 5.0)])
def test_a_batch_of_one_class_has_that_term_alone(label: float, expected: float):
    loss = radial_margin_loss(torch.tensor([3.0]), torch.tensor([label]), inner=1.0, outer=8.0)
    assert loss.item() == expected


def test_its_gradient_is_right_through_the_distance_from_a_center():
    generator = torch.Generator().manual_seed(2)
    embedding = torch.randn(5, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    center = torch.randn(3, dtype=torch.float64, generator=generator)

    def loss(points: Tensor) -> Tensor:
        distance = torch.linalg.vector_norm(points - center, dim=1)
        return radial_margin_loss(distance, LABEL, inner=0.1, outer=5.0)

    assert torch.autograd.gradcheck(loss, (embedding,))
    loss(embedding).backward()
    # A step against the gradient brings reals nearer and takes fakes away.
    outward = ((embedding - center) * embedding.grad).sum(dim=1)
    assert torch.equal(outward < 0, LABEL == 1)


@pytest.mark.parametrize(("inner", "outer"), [(0.0, 1.0), (2.0, 2.0), (3.0, 1.0)])
def test_radii_in_the_wrong_order_are_refused(inner: float, outer: float):
    with pytest.raises(UsageError, match=r"expected 0 < inner < outer. Give a smaller inner"):
        radial_margin_loss(DISTANCE, LABEL, inner=inner, outer=outer)


def test_the_radii_are_the_papers():
    assert radii_for(256) == (0.042, 1.638)
    assert radii_for(1024) == (2.5, 97.5)


def test_the_rule_for_other_lengths_links_the_papers_numbers():
    def log_volume(dimensions: int) -> float:
        """Of a ball of the inner radius."""
        unit = dimensions / 2 * math.log(math.pi) - math.lgamma(dimensions / 2 + 1)
        return unit + dimensions * math.log(radii_for(dimensions).inner)

    # 0.042 is rounded to half a thousandth: one part in 84, times 256 dimensions.
    assert log_volume(256) == pytest.approx(log_volume(1024), abs=256 / 84)
    assert log_volume(512) == pytest.approx(log_volume(1024), abs=1e-6)
    for dimensions in (128, 256, 512, 1024):
        radii = radii_for(dimensions)
        assert radii.outer / radii.inner == pytest.approx(39)


def test_an_embedding_of_no_numbers_has_no_radii():
    with pytest.raises(UsageError, match=r"for 0 dimensions: expected at least 1. Give the length"):
        radii_for(0)
