"""Timm's EfficientNets as feature extractors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import timm
from torch import Tensor, nn

B3_FEATURES = 1536
"""Numbers by which B3 describes a picture, after the average over its map."""


def efficientnet(size: str) -> nn.Module:
    """An EfficientNet (Tan & Le, ICML 2019) without its last layer: (N, 3, H, W) to (N, D).

    Its modules are ``conv_stem``, ``bn1``, ``blocks`` (seven stages of blocks), ``conv_head`` and
    ``bn2``. There is no stochastic depth.

    Args:
        size: the size in its name, such as ``b3``.
    """
    net: nn.Module = timm.create_model(f"efficientnet_{size}", num_classes=0)
    return net


B4_FEATURES = 1792
"""Numbers by which B4 describes a picture."""

_STEM = "_conv_stem.weight"
_OUTER = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
_FIRST_STAGE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw"}
_FIRST_STAGE |= {"_bn2": "bn2"}
_OTHER_STAGES = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw"}
_OTHER_STAGES |= {"_bn1": "bn2", "_project_conv": "conv_pwl", "_bn2": "bn3"}
_SQUEEZE = {"_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"}


def efficientnet_as_in_tensorflow(size: str) -> nn.Module:
    """An EfficientNet with TensorFlow's padding and batch norms: (N, 3, H, W) to (N, D).

    With stochastic depth of 0.2. It is the network of the package ``efficientnet_pytorch`` at the
    picture size that this package builds it for (380 for B4).

    Args:
        size: the size in its name, such as ``b4``.
    """
    net: nn.Module = timm.create_model(
        f"tf_efficientnet_{size}", num_classes=0, drop_path_rate=0.2, bn_momentum=0.01
    )
    return net


def from_efficientnet_pytorch(
    state: Mapping[str, Tensor], stages: Sequence[int]
) -> dict[str, Tensor]:
    """A state dict of the package ``efficientnet_pytorch`` under timm's names.

    A state dict without that package's names comes back as it is.

    Args:
        state: its head is named ``_fc``; what has no counterpart keeps its name.
        stages: blocks in each stage; the package numbers all blocks in one row.
    """
    if _STEM not in state:
        return dict(state)
    places = [(stage, n) for stage, count in enumerate(stages) for n in range(count)]
    return {_timm_name(key, places): value for key, value in state.items()}


def _timm_name(key: str, places: Sequence[tuple[int, int]]) -> str:
    first, _, rest = key.partition(".")
    if first == "_fc":
        return f"classifier.{rest}"
    if first != "_blocks":
        return f"{_OUTER.get(first, first)}.{rest}"
    number, _, rest = rest.partition(".")
    part, _, rest = rest.partition(".")
    if not number.isdigit() or int(number) >= len(places):
        return key
    stage, place = places[int(number)]
    names = (_OTHER_STAGES if stage else _FIRST_STAGE) | _SQUEEZE
    return f"blocks.{stage}.{place}.{names.get(part, part)}.{rest}"
