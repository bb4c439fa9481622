"""The default: a small fully convolutional net that marks blended regions, frame by frame.

It looks for what pasting leaves behind (a border between two kinds of grain, color, sharpness
or resolution) and learned that from self-blended real faces alone, after Shiohara & Yamasaki.
The recipe, the net and the mask head are ours; it is made for a laptop's CPU.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import timm
import torch
from torch import Tensor, nn

from unmask.detectors.card import Card, Output, Paper, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule, Synthesis
from unmask.detectors.registry import detector
from unmask.errors import UsageError
from unmask.losses import screening_loss
from unmask.nn.center_face import start_from_center_face
from unmask.types import InputSpec

_LOGIT_LIMIT = 12.0


def _loss(output: Output, target: Target) -> Tensor:
    assert output.mask is not None and target.mask is not None and target.pair is not None
    return screening_loss(output.logit, output.mask, target.label, target.mask, target.pair)


CARD = Card(
    name="screener",
    summary="Small fully convolutional net that marks blended regions; the default",
    paper=Paper(
        title="Detecting Deepfakes with Self-Blended Images (the training idea only)",
        authors="Kaede Shiohara, Toshihiko Yamasaki",
        venue="CVPR",
        year=2022,
        url="https://arxiv.org/abs/2204.08376",
        code="https://github.com/mapooon/SelfBlendedImages",
        differences=(
            "The network is ours: MobileNetV2 up to stride 16, started from CenterFace, with a "
            "mask head; the paper uses EfficientNet-B4 without a mask.",
            "Masks come from five landmarks instead of 81 and cover the whole face, the inner "
            "face, the lower face, the mouth or the eyes.",
            "The loss adds the mask, a ranking within pairs and a pull of the logits to 0.",
            "Both classes pass through H.264 or JPEG after blending.",
            "The weights that ship are of two networks, trained one by one; the score is the mean "
            "of their logits. A training makes one network.",
        ),
    ),
    verified="ours: no other code to compare with",
    input=InputSpec(
        region="face",
        margin=1.4,
        size=(160, 160),
        mean=(0.0, 0.0, 0.0),
        std=(1 / 255, 1 / 255, 1 / 255),
        frames=1,
        fps=5.0,
    ),
    recipe=Recipe(
        loss=_loss,
        freeze=("features.conv_stem", "features.bn1", "features.blocks.0", "features.blocks.1"),
        precision="bf16-mixed",
        optimizer=Optimizer(
            kind="adamw", learning_rate=1.2e-3, weight_decay=0.02, gradient_clip=1.0
        ),
        schedule=Schedule(
            epochs=50, steps_per_epoch=300, kind="cosine", patience=50, monitor="auc"
        ),
        sampling=Sampling(batch_size=32, augment="shared", kind="pairs"),
        synthesis=Synthesis(kind="self_blend"),
    ),
    weights=(
        Weights(
            tag="2026-11-21",
            file="screener.safetensors",
            sha256="946e65ff25af2684f9b08bc0cee5d75f318e66669df133c573a59ccb063f126c",
            size_bytes=6_017_792,
            license="MIT",
            trained_on="blends of 51 real videos and 1,309 photographs; see MODEL_CARD.md",
        ),
    ),
    outputs=("mask", "embedding"),
    cam_layer="maps",
    aggregate="mean",
    args={"width": 96, "residual": True, "members": 1},
    is_default=True,
)


def _unit(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    """What is left of a picture when its smooth part is taken away, as 24 maps at stride 4."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Sequential(_unit(3, 16, 2), _unit(16, 24, 2))

    def forward(self, images: Tensor) -> Tensor:
        smooth = nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
        maps: Tensor = self.maps((images - smooth) / 8)
        return maps


@detector(CARD)
class Screener(nn.Module):
    """MobileNetV2 stages up to stride 16, joined at stride 8; a mask head and a class head.

    Args:
        width: channels of the joined features, which are also the embedding's half.
        residual: adds a branch that sees the high-pass residual of the picture.
        members: networks whose answers are averaged, each trained by itself and put together by
            ``python -m benchmarks join``. Those after the first are its ``others``; what a recipe
            freezes is of the first alone.

    Raises:
        UsageError: less than one member.
    """

    def __init__(self, width: int = 96, residual: bool = True, members: int = 1) -> None:
        super().__init__()
        if members < 1:
            raise UsageError(f"Cannot build a screener of {members} members: give 1 or more.")
        self.features = timm.create_model(
            "mobilenetv2_100", features_only=True, out_indices=(1, 2, 3), act_layer=nn.ReLU
        )
        del cast(nn.Sequential, self.features.blocks)[5:]
        self.residual = _Residual() if residual else None
        self.from_stride4 = _unit(24 + (24 if residual else 0), 48, 2)
        self.from_stride8 = _unit(32, 64, kernel=1)
        self.from_stride16 = _unit(96, 64, kernel=1)
        self.join = _unit(48 + 64 + 64, width)
        self.mask_head = nn.Conv2d(width, 1, 1)
        self.class_head = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * width, 1))
        # Without weights: here the members' maps lie side by side, for class activation maps.
        self.maps = nn.Identity()
        self.others = nn.ModuleList(Screener(width, residual) for _ in range(members - 1))

    def forward(self, clips: Tensor) -> Output:
        """(B, 3, 1, H, W) in 0..255, H and W multiples of 16, to logit, mask at stride 8.

        Of several members, logit and mask are means of logits; embeddings stand side by side.
        """
        members: list[Screener] = [self, *cast("list[Screener]", list(self.others))]
        maps = self.maps(torch.cat([member._see(clips[:, :, 0]) for member in members], dim=1))
        parts = maps.chunk(len(members), dim=1)
        seen = [member._judge(part) for member, part in zip(members, parts, strict=True)]
        logits, masks, embeddings = zip(*seen, strict=True)
        return Output(
            logit=torch.stack(logits).mean(dim=0),
            mask=torch.stack(masks).mean(dim=0),
            embedding=torch.cat(embeddings, dim=1),
        )

    def _see(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to the joined features (B, width, H / 8, W / 8)."""
        fine, middle, coarse = self.features(images)
        if self.residual is not None:
            fine = torch.cat([fine, self.residual(images)], dim=1)
        coarse = nn.functional.interpolate(self.from_stride16(coarse), scale_factor=2.0)
        joined: Tensor = self.join(
            torch.cat([self.from_stride4(fine), self.from_stride8(middle), coarse], dim=1)
        )
        return joined

    def _judge(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One member's logit (B,), mask (B, 1, h, w) and embedding (B, 2 * width)."""
        embedding = torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)
        raw = self.class_head(embedding)[:, 0]
        # Sharp pictures unlike any in training once drove the logit to -260: bound it smoothly.
        return _LOGIT_LIMIT * torch.tanh(raw / _LOGIT_LIMIT), self.mask_head(maps), embedding

    def start_from_clips(self, batches: Iterable[Tensor]) -> None:
        """Takes over CenterFace's backbone; called once, with batches of training input."""
        images = next(iter(batches))[:, :, 0].float()
        for member in (self, *self.others):
            start_from_center_face(cast("Screener", member).features, images)
