from __future__ import annotations

import pytest
import torch

from unmask.losses.boundary import boundary_loss, boundary_map


def test_the_boundary_is_where_both_pictures_weigh_alike():
    mask = torch.linspace(0, 1, 11)
    found = boundary_map(mask)
    assert found.argmax() == 5
    assert found[5] == 1
    torch.testing.assert_close(found, found.flip(0))


def test_pixels_weigh_a_hundred_times_as_much_as_the_picture():
    label, logit = torch.tensor([1.0]), torch.tensor([3.0])
    truth = torch.zeros(1, 1, 8, 8)
    none = torch.full((1, 1, 8, 8), -30.0)
    alone = boundary_loss(logit, none, label, truth)
    assert alone.item() == pytest.approx(torch.log1p(torch.exp(torch.tensor(-3.0))).item())
    undecided = boundary_loss(logit, torch.zeros(1, 1, 8, 8), label, truth)
    assert (undecided - alone).item() == pytest.approx(69.31, abs=0.01)


def test_a_real_picture_and_a_whole_forgery_have_no_boundary():
    logit, label = torch.zeros(1), torch.zeros(1)
    drawn = torch.full((1, 1, 4, 4), -5.0)
    nowhere, everywhere = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    assert torch.equal(
        boundary_loss(logit, drawn, label, nowhere), boundary_loss(logit, drawn, label, everywhere)
    )
    half = torch.full((1, 1, 8, 8), 0.5)
    assert boundary_loss(logit, drawn, label, half) > boundary_loss(logit, drawn, label, nowhere)
