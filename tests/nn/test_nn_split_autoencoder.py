from __future__ import annotations

import pytest
import torch
from torch import nn

from unmask.nn.derivative_residual import ThirdDerivative
from unmask.nn.split_autoencoder import SplitAutoencoder
from unmask.nn.split_latent import half_activations, keep_half


def test_a_half_is_as_active_as_its_mean_absolute_value():
    latent = torch.randn(3, 8, 2, 5, generator=torch.Generator().manual_seed(0))
    forged, real = half_activations(latent)
    torch.testing.assert_close(forged, latent[:, :4].abs().mean((1, 2, 3)))
    torch.testing.assert_close(real, latent[:, 4:].abs().mean((1, 2, 3)))


def test_the_half_of_the_other_class_is_gone():
    latent = torch.ones(2, 6, 2, 2)
    kept = keep_half(latent, torch.tensor([True, False]))
    assert kept.shape == latent.shape
    assert kept[0, :3].all() and not kept[0, 3:].any()
    assert kept[1, 3:].all() and not kept[1, :3].any()


@pytest.mark.parametrize("has_norm", [True, False])
def test_the_decoder_gives_back_the_size_of_the_picture(has_norm: bool):
    net = SplitAutoencoder(channels=6, has_norm=has_norm).eval()
    with torch.no_grad():
        latent = net.encode(torch.rand(2, 6, 64, 48))
        pictures = net.decode(latent)
    assert latent.shape == (2, 128, 4, 3)
    assert latent.min() >= 0
    assert pictures.shape == (2, 6, 64, 48)
    assert pictures.abs().max() <= 1
    widths = [layer.out_channels for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    assert widths == [32, 64, 64, 128, 128, 128, 64, 64, 32, 6]
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in net.modules()) == has_norm


def test_the_third_derivative_of_a_square_is_0_and_of_a_cube_6():
    x = torch.arange(12.0).view(1, 1, 1, 12)
    cube = (x**3).expand(1, 1, 9, 12)
    square = (x**2).mT.expand(1, 1, 12, 9).mT
    residual = ThirdDerivative()
    inner = slice(1, -2)
    rows, columns = residual(cube)[0]
    # The filter 1 -3 3 -1 is minus the third difference.
    assert (rows[:, inner] == -6).all()
    assert not columns.any()
    assert not residual(square)[0, 0, :, inner].any()
    assert torch.equal(residual(cube.mT)[0, 1], rows.T)


def test_channels_keep_to_themselves_and_the_size_stays():
    pictures = torch.rand(2, 3, 10, 14)
    residual = ThirdDerivative()(pictures)
    assert residual.shape == (2, 6, 10, 14)
    alone = ThirdDerivative()(pictures[:, 1:2])
    torch.testing.assert_close(residual[:, [1, 4]], alone)
