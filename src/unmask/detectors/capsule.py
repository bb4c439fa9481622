"""Capsule-Forensics: ten small networks see a face, and routing asks which class they agree on.

What they see are the maps of VGG-19's first layers, which stay as ImageNet made them (Nguyen et
al. 2019, version 2 of their network). What differs from the paper is listed in the card.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Card, Output, Paper, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.errors import WrongVariantError
from unmask.nn.capsule import PrimaryCapsules, Routing, vgg_start, vgg_state
from unmask.nn.fresh import fresh_state
from unmask.types import InputSpec

_VGG_FILE = "vgg19-dcbb9e9d.pth"
_ROWS = 4


def _loss(output: Output, target: Target) -> Tensor:
    """The sum of four cross entropies, one for each number of the class capsules."""
    assert output.embedding is not None
    rows = output.embedding.view(-1, _ROWS, 2)
    classes = target.label.long()[:, None].expand(-1, _ROWS)
    return _ROWS * functional.cross_entropy(rows.transpose(1, 2), classes)


def _from_published(path: Path) -> dict[str, Tensor]:
    """``capsule_N.pt`` with torchvision's VGG-19 beside it, or VGG-19 alone as a start."""
    published = read_tensors(path)
    if "features.0.weight" in published:
        vgg = vgg_state(published)
        capsules = fresh_state(Capsule, without=("vgg.",))
    else:
        beside = path.with_name(_VGG_FILE)
        if "routing_stats.route_weights" in published and not beside.is_file():
            raise WrongVariantError(
                f"Weights '{path}' are the capsules alone: expected {_VGG_FILE} in the same "
                "folder, whose first layers they look through, got no such file. Put "
                "torchvision's VGG-19 there."
            )
        vgg = vgg_state(read_tensors(beside)) if beside.is_file() else {}
        capsules = published
    return {f"vgg.{key}": value for key, value in vgg.items()} | capsules


CARD = Card(
    name="capsule",
    summary="Ten capsules over VGG-19's first layers, routed to real and fake (version 2).",
    paper=Paper(
        title="Use of a Capsule Network to Detect Fake Images and Videos",
        authors="Huy H. Nguyen, Junichi Yamagishi, Isao Echizen",
        venue="arXiv",
        year=2019,
        url="https://arxiv.org/abs/1910.12467",
        code="https://github.com/nii-yamagishilab/Capsule-Forensics-v2",
        differences=(
            "Squash of the primary capsules: across the ten capsules, number by number, as in the "
            "authors' code; their paper squashes each capsule's vector.",
            "Score: the logit of the published probability, which is the mean of four softmaxes "
            "over the classes. The authors' test script takes another softmax of it, which keeps "
            "the order.",
            "VGG-19: its first layers stand in our files too, as they are part of the network; "
            "the authors' files lack them. At random, unless an imported file is given.",
            "Crop: 1.3 x the longest side of the CenterFace box; the authors take 1.3 x the "
            "height of the true mask around its middle, which a scan does not have.",
            "Frames: three a second; the video's logit is the mean of the frames'. The authors "
            "take 100 frames of each video and average probabilities.",
            "Best epoch: by validation accuracy; the authors keep every epoch and test number 21 "
            "by default. Both classes are drawn equally often.",
            "Embedding: the two class capsules, four numbers each.",
        ),
    ),
    compared_in=("Two-branch", "EMD"),
    fixtures=("capsule_v2.json",),
    verified="fixture; no published file available",
    input=InputSpec(
        region="face",
        margin=1.3,
        size=(300, 300),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        frames=1,
        fps=3.0,
    ),
    recipe=Recipe(
        loss=_loss,
        freeze=("vgg",),
        optimizer=Optimizer(kind="adam", learning_rate=5e-4, betas=(0.9, 0.999)),
        schedule=Schedule(epochs=25, patience=25, monitor="accuracy"),
        sampling=Sampling(batch_size=32),
    ),
    weights=(
        Weights(
            tag="ffpp",
            license="BSD-3-Clause",
            trained_on=f"FaceForensics++: one of the authors' capsule_N.pt, with {_VGG_FILE} "
            "(torchvision) in the same folder",
            polarity="class 0 is real, 1 fake; the logit here is that of the mean probability of 1",
            importer=_from_published,
        ),
        Weights(
            tag="imagenet",
            license="BSD-3-Clause",
            trained_on=f"ImageNet (torchvision's {_VGG_FILE}): a start for training, not a "
            "detector",
            polarity="none: the capsules are those of a new network",
            importer=_from_published,
        ),
    ),
    outputs=("embedding",),
    cam_layer="vgg",
    aggregate="mean",
    starts_from="imagenet",
)


@detector(CARD)
class Capsule(nn.Module):
    """VGG-19's first layers, primary capsules, and routing; named as in the authors' files."""

    def __init__(self) -> None:
        super().__init__()
        # Never trained: without gradients of its own a step costs a third.
        self.vgg = vgg_start().requires_grad_(False)
        self.fea_ext = PrimaryCapsules()
        self.routing_stats = Routing()

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 300, 300), ImageNet-normalized; the embedding is (B, 8)."""
        rows = self.routing_stats(self.fea_ext(self.vgg(clips.squeeze(2))))
        # (B, 4, 2) to the published probabilities (B, 2), real and fake.
        real, fake = rows.float().softmax(dim=2).mean(dim=1).unbind(1)
        return Output(logit=torch.log(fake / real), embedding=rows.flatten(1))
