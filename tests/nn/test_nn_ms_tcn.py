from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from unmask.nn.lip_reading import ResNet18Trunk
from unmask.nn.ms_tcn import TemporalBranch, mean_over_time, ms_tcn


def test_statistics_in_training_take_in_the_surplus_frames():
    """The published layer: padding of (k - 1) d at both ends, norm, then a crop."""
    torch.manual_seed(0)
    branch = TemporalBranch(3, 4, kernel=5, dilation=2, activation=nn.PReLU)
    frames = torch.randn(2, 3, 7)
    conv = branch.conv
    padded = functional.conv1d(frames, conv.weight, conv.bias, padding=8, dilation=2)
    assert padded.shape[2] == 7 + 8
    mean = padded.mean(dim=(0, 2), keepdim=True)
    std = (padded.var(dim=(0, 2), keepdim=True, unbiased=False) + 1e-5).sqrt()
    normed = ((padded - mean) / std)[..., 4:-4]
    torch.testing.assert_close(branch(frames), torch.where(normed > 0, normed, 0.25 * normed))
    torch.testing.assert_close(branch.norm.running_mean, 0.1 * mean.flatten())


def test_evaluation_equals_padding_that_keeps_the_size():
    torch.manual_seed(0)
    branch = TemporalBranch(3, 4, kernel=7, dilation=4, activation=nn.PReLU).eval()
    frames = torch.randn(2, 3, 5)
    conv = branch.conv
    same = functional.conv1d(frames, conv.weight, conv.bias, padding=12, dilation=4)
    torch.testing.assert_close(branch(frames), branch.activation(branch.norm(same)))


def test_every_output_sees_frames_before_and_after():
    net = ms_tcn(2, nn.PReLU, width=6, blocks=4).eval()
    frames = torch.randn(1, 2, 181, requires_grad=True)
    net(frames)[..., 90].sum().backward()
    assert (frames.grad != 0).any(dim=1).all()  # 181 frames, as detectors.md says
    assert [block.first[2].conv.dilation for block in net] == [(1,), (2,), (4,), (8,)]


def test_mean_leaves_out_what_lies_behind_the_length():
    frames = torch.tensor([[[1.0, 2.0, 3.0]], [[4.0, 6.0, float("nan")]]])
    assert mean_over_time(frames, torch.tensor([3, 2])).tolist() == [[2.0], [5.0]]
    assert mean_over_time(frames[:1]).tolist() == [[2.0]]


@pytest.mark.parametrize("layer", ["layer1.0.conv1", "layer2.0.downsample.0", "layer4.1.conv2"])
def test_trunk_starts_with_the_published_spread(layer: str):
    torch.manual_seed(0)
    conv = ResNet18Trunk(nn.PReLU).get_submodule(layer)
    expected = (2 / (conv.kernel_size[0] ** 2 * conv.out_channels)) ** 0.5
    assert conv.weight.std().item() == pytest.approx(expected, rel=0.03)
