"""HRNet that draws the border along which one picture was blended into another.

Face X-ray for More General Face Forgery Detection (Li et al., CVPR 2020): trained on pairs of
real faces blended into each other, it says where the two halves meet, and by that whether there
are two at all. What differs from the paper, and what it leaves open, is listed in the card.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Card, Output, Paper, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule, Synthesis
from unmask.detectors.registry import detector
from unmask.detectors.shared import deepfakebench
from unmask.errors import UsageError
from unmask.losses.boundary import boundary_loss
from unmask.nn.fresh import fresh_state
from unmask.nn.hrnet import WIDTHS, JoinedResolutions, hrnet_state, hrnet_w48
from unmask.types import InputSpec

HeadName = Literal["paper", "deepfakebench"]

_BENCH_FILE = "facexray_best.pth"
_BENCH_MAP_PX = 256
_BENCH_POOLED_PX = 128
_LEAST = 1e-4


def _loss(output: Output, target: Target) -> Tensor:
    assert output.mask is not None and target.mask is not None
    return boundary_loss(output.logit, output.mask, target.label, target.mask)


def _from_hrnet(path: Path) -> dict[str, Tensor]:
    """ImageNet's HRNet-W48; the head as when new."""
    state = {f"net.{key}": value for key, value in hrnet_state(read_tensors(path)).items()}
    return fresh_state(FaceXray, without=("net.",)) | state


def _from_deepfakebench(path: Path) -> dict[str, Tensor]:
    """DeepfakeBench's file: its backbone is HRNet with ImageNet's head, which is not called."""
    theirs = read_tensors(path)
    prefix = "backbone."
    backbone = {k.removeprefix(prefix): v for k, v in theirs.items() if k.startswith(prefix)}
    state = {f"net.{key}": value for key, value in hrnet_state(backbone).items()}
    return state | {f"head.{k}": v for k, v in theirs.items() if not k.startswith(prefix)}


CARD = Card(
    name="face_xray",
    summary="HRNet-W48 that draws blending borders; learns from blends of real faces.",
    paper=Paper(
        title="Face X-ray for More General Face Forgery Detection",
        authors="Lingzhi Li, Jianmin Bao, Ting Zhang, Hao Yang, Dong Chen, Fang Wen, Baining Guo",
        venue="CVPR",
        year=2020,
        url="https://arxiv.org/abs/1912.13458",
        code="https://github.com/AlgoHunt/Face-Xray",
        differences=(
            "Code: the authors publish how they make blends, not the network. That is built from "
            "the paper and not verified against the authors' code; HRNet-W48 itself agrees with "
            "its own authors' code.",
            "Head: a 1x1 convolution over the four resolutions joined at a quarter of the size, "
            "enlarged bilinearly, a sigmoid; the mean of the map and a linear layer to two "
            "classes. --set head=deepfakebench builds DeepfakeBench's instead (three "
            "convolutions, a map without a sigmoid, three dense layers on it at 128 x 128), for "
            "its facexray_best.pth.",
            "Mask: the boundary map, not the manipulated region: high along the border of what was "
            "pasted. With DeepfakeBench's head the log-odds of its map, cut to 0.0001..0.9999.",
            "Blends: the donor is the nearest of 100 faces of other people by five landmarks, "
            "turned and scaled onto the face; the paper takes the nearest of 5,000 frames by 68 "
            "landmarks. Masks come from five landmarks instead of four kinds of hulls, their "
            "borders are Gaussian; color is matched in mean and spread, the authors' "
            "code shifts the mean.",
            "Haliassos et al. (LipForensics) train it on blends and on the data's forgeries; here "
            "on blends alone. On the data's forgeries (--set synthesize=none --set mix={}) the "
            "boundary is that of the given masks; where there are none it is empty.",
            "Augmentation: resampling to a quarter or more and JPEG of 60 to 100, each in half of "
            "the pairs, a flip and a box that moves, as in the authors' code; each picture's "
            "two classes alike.",
            "Steps: 200,000, the first 50,000 for the head alone, counted as 100 epochs of 2,000; "
            "the best epoch by validation AUC on blends is kept, which the paper does not mention.",
            "Crop: upright by five landmarks, 1.3 x the longest side of the CenterFace box, 256 "
            "pixels; mean and spread 0.5. The paper mentions neither; DeepfakeBench does so.",
            "Start: at random, unless an imported ImageNet file is given, as in the paper.",
            "Frames: three a second; the video's logit is the mean of the frames'.",
        ),
    ),
    compared_in=("LipForensics", "EMD", "Anti-Compression"),
    fixtures=("hrnet_w48_cls.json",),
    verified="parts: HRNet-W48; the boundary map is not verified against the authors' code: none "
    "is public",
    input=InputSpec(region="face", align="similarity", margin=1.3, size=(256, 256), fps=3.0),
    recipe=Recipe(
        loss=_loss,
        optimizer=Optimizer(kind="adam", learning_rate=2e-4),
        schedule=Schedule(
            epochs=100, steps_per_epoch=2000, patience=100, warmup_epochs=25, warmup_parts=("head",)
        ),
        sampling=Sampling(batch_size=32, augment="resize_and_jpeg", kind="pairs"),
        synthesis=Synthesis(kind="self_blend", mix={"cross_blend": 1.0}),
    ),
    weights=(
        Weights(
            tag="deepfakebench",
            license=deepfakebench.LICENSE,
            trained_on=deepfakebench.TRAINED_ON.format(file=_BENCH_FILE),
            polarity=deepfakebench.POLARITY,
            importer=_from_deepfakebench,
            is_non_commercial=True,
            licensor=deepfakebench.LICENSOR,
            args={"head": "deepfakebench"},
        ),
        Weights(
            tag="imagenet",
            license="MIT",
            trained_on="ImageNet (hrnetv2_w48_imagenet_pretrained.pth): a start for training, "
            "not a detector",
            polarity="none: the head is that of a new network",
            importer=_from_hrnet,
        ),
    ),
    outputs=("mask",),
    cam_layer="join",
    aggregate="mean",
    args={"head": "paper"},
    starts_from="imagenet",
)


class _PaperHead(nn.Module):
    """Maps (B, 720, h, w) to (B, 2) and to a boundary map of logits (B, 1, 4 h, 4 w)."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Conv2d(sum(WIDTHS), 1, 1)
        nn.init.normal_(self.map.weight, std=0.001)  # as HRNet's authors start such layers
        self.fc = nn.Linear(1, 2)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        boundary = functional.interpolate(self.map(maps), scale_factor=4.0, mode="bilinear")
        return self.fc(boundary.sigmoid().mean(dim=(2, 3))), boundary


class _BenchHead(nn.Module):
    """DeepfakeBench's: maps (B, 720, h, w) to (B, 2) and to logits (B, 1, 256, 256)."""

    def __init__(self) -> None:
        super().__init__()
        size = (_BENCH_MAP_PX, _BENCH_MAP_PX)
        self.post_process = nn.Sequential(
            *_unit(nn.Conv2d(sum(WIDTHS), 256, 3, 1, 1), nn.BatchNorm2d(256)),
            *_unit(nn.Conv2d(256, 128, 3, 1, 1), nn.BatchNorm2d(128)),
            nn.Conv2d(128, 1, 1),
            nn.Upsample(size, mode="bilinear", align_corners=True),
        )
        self.fc = nn.Sequential(
            *_unit(nn.Linear(_BENCH_POOLED_PX**2, 1024), nn.BatchNorm1d(1024)),
            *_unit(nn.Linear(1024, 128), nn.BatchNorm1d(128)),
            nn.Linear(128, 2),
        )

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        boundary = self.post_process(maps)
        pooled = functional.adaptive_avg_pool2d(boundary, _BENCH_POOLED_PX)
        return self.fc(pooled.flatten(1)), torch.logit(boundary, eps=_LEAST)


def _unit(layer: nn.Module, norm: nn.Module) -> tuple[nn.Module, nn.Module, nn.Module]:
    return layer, norm, nn.ReLU()


@detector(CARD)
class FaceXray(nn.Module):
    """HRNet-W48, a head that draws the boundary, and a classifier that looks at it alone.

    Args:
        head: ``paper``, or ``deepfakebench`` for that benchmark's file.

    Raises:
        UsageError: ``head`` is neither.
    """

    def __init__(self, head: HeadName = "paper") -> None:
        super().__init__()
        if head not in get_args(HeadName):
            raise UsageError(f"Cannot set head={head!r}: expected 'paper' or 'deepfakebench'.")
        self.net = hrnet_w48()
        self.join = JoinedResolutions()
        self.head = _PaperHead() if head == "paper" else _BenchHead()

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W) in -1..1, sides multiples of 32; the mask is at full size.

        With DeepfakeBench's head the mask is (B, 1, 256, 256) at any size.
        """
        maps = self.join(self.net(clips.squeeze(2)))
        classes, boundary = self.head(maps)
        real, fake = classes.unbind(1)
        return Output(logit=fake - real, mask=boundary)
