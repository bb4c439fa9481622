from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from unmask.nn.laplacian import LaplacianOfGaussian, blur, gaussian_kernel

SIGMAS = (1.0, 2.0, 4.0)


@pytest.mark.parametrize("size", [(112, 112), (28, 31), (7, 5), (1, 1)])
def test_a_constant_map_leaves_nothing(size: tuple[int, int]):
    layer = LaplacianOfGaussian(4, 6, SIGMAS)
    maps = torch.tensor([3.0, -1.0, 0.0, 100.0]).view(1, 4, 1, 1).expand(2, 4, *size)
    with torch.no_grad():
        assert layer.bands(maps).shape == (2, 12, *size)
        assert layer(maps).shape == (2, 6, *size)
        assert layer(maps).abs().max() < 1e-3


def test_the_finest_scale_keeps_checkers_and_the_coarsest_drops_least():
    """A wave of 2 px passes; of a wave of 64 px more is left the larger the Gaussian."""
    layer = LaplacianOfGaussian(1, 1, SIGMAS)
    x = torch.arange(256.0)
    fine, slow = torch.cos(math.pi * x), torch.cos(2 * math.pi * x / 64)
    maps = torch.stack([fine, slow]).view(2, 1, 1, 256).expand(2, 1, 256, 256)
    inside = layer.bands(maps)[:, :, 64:-64, 64:-64]
    strength = inside.pow(2).mean(dim=(2, 3)).sqrt() / math.sqrt(0.5)
    assert strength[0].tolist() == pytest.approx([math.sqrt(2)] * 3, rel=0.02)
    assert 0 < strength[1, 0] < strength[1, 1] < strength[1, 2] < 0.4


def test_a_scale_is_the_map_less_its_blurred_and_halved_copy():
    maps = torch.randn(1, 2, 16, 16, generator=torch.Generator().manual_seed(1))
    (kernel,) = [gaussian_kernel(1.0)]
    square = torch.outer(kernel, kernel).expand(2, 1, 7, 7)
    blurred = F.conv2d(F.pad(maps, (3, 3, 3, 3), mode="replicate"), square, groups=2)
    coarse = F.avg_pool2d(blurred, 2)  # what bilinear by 1/2 is
    expected = maps - F.interpolate(coarse, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(LaplacianOfGaussian(2, 2, (1.0,)).bands(maps), expected)


def test_it_starts_as_the_mean_of_each_maps_scales():
    layer = LaplacianOfGaussian(5, 5, SIGMAS)
    maps = torch.randn(2, 5, 32, 32, generator=torch.Generator().manual_seed(1))
    expected = torch.stack(layer.bands(maps).chunk(3, dim=1)).mean(dim=0)
    torch.testing.assert_close(layer(maps), expected)


def test_only_the_mixing_is_learned_and_saved():
    layer = LaplacianOfGaussian(4, 6, SIGMAS)
    assert [(k, tuple(v.shape)) for k, v in layer.named_parameters()] == [
        ("reduce.weight", (6, 12, 1, 1))
    ]
    assert list(layer.state_dict()) == ["reduce.weight"]


def test_blur_is_a_gaussian_of_that_sigma():
    dot = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    dot[..., 20, 20] = 1
    spot = blur(dot, gaussian_kernel(2.0))[0, 0]
    offset = torch.arange(41.0, dtype=torch.float64) - 20
    assert spot.sum().item() == pytest.approx(1, abs=1e-6)
    for axis in (0, 1):
        variance = (spot.sum(dim=axis) * offset**2).sum().item()
        assert variance == pytest.approx(4, rel=0.05)  # a little less, as 3 sigma are kept
