"""EfficientNet-B4 trained on real faces that were blended with changed copies of themselves.

Detecting Deepfakes with Self-Blended Images (Shiohara & Yamasaki, CVPR 2022). The network is that
of the authors' code, under timm's names; the blends are the house's own. What differs is listed
in the card.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors, rows_of
from unmask.detectors.card import Card, Output, Paper, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule, Synthesis
from unmask.detectors.registry import detector
from unmask.detectors.shared.deepfakebench import refuse
from unmask.losses import binary_loss
from unmask.nn.efficientnet import (
    B4_FEATURES,
    efficientnet_as_in_tensorflow,
    from_efficientnet_pytorch,
)
from unmask.nn.heads import reset_head, under_net
from unmask.types import InputSpec

_STAGES = (2, 4, 4, 6, 6, 8, 2)
_IMAGENET_CLASSES = 1000


def _loss(output: Output, target: Target) -> Tensor:
    return binary_loss(output.logit, target.label)


def _from_published(path: Path) -> dict[str, Tensor]:
    """The authors' files, and ImageNet's of the same package or of timm's TensorFlow network.

    Raises:
        WeightsError: the file cannot be read.
        WrongVariantError: it is DeepfakeBench's.
    """
    state = read_tensors(path)
    if any(key.startswith("backbone.efficientnet.") for key in state):
        refuse(
            path,
            found="DeepfakeBench's EfficientNet-B4 (sbi_best.pth, effnb4_best.pth), whose first "
            "layer pads nothing",
            expected="the network of the paper's authors",
            give="their sbi.tar, or train anew",
        )
    state = {key.removeprefix("net."): value for key, value in state.items()}
    state = from_efficientnet_pytorch(state, _STAGES)
    reset_head(state, "classifier", _IMAGENET_CLASSES, 2)
    return under_net(state, "classifier")


CARD = Card(
    name="self_blended",
    summary="EfficientNet-B4 that learns from self-blended real faces alone (SBI).",
    paper=Paper(
        title="Detecting Deepfakes with Self-Blended Images",
        authors="Kaede Shiohara, Toshihiko Yamasaki",
        venue="CVPR",
        year=2022,
        url="https://arxiv.org/abs/2204.08376",
        code="https://github.com/mapooon/SelfBlendedImages",
        differences=(
            "Blends: unmask's own (docs/training.md): masks drawn from five landmarks where the "
            "authors take hulls of 81, and also of parts of the face; grain and recompression "
            "besides color, sharpness and resolution; in three of ten another moment of the same "
            "person is pasted.",
            "Augmentation: brightness, contrast, a shift of each channel, JPEG of 40 to 100, a box "
            "that wanders, and a flip, both classes alike; the authors also shift hue and "
            "saturation and draw each margin by itself.",
            "Crop: a square of 1.25 x the longest side of the CenterFace box; the authors widen "
            "RetinaFace's box by an eighth of its width and height on each side and stretch it.",
            "Network: timm's, with TensorFlow's padding, which equals the authors' package at 380 "
            "pixels (tests/fixtures/efficientnet_b4_lukemelas.json). At other sizes that package "
            "pads as for 380.",
            "Optimizer: SAM on plain steps with momentum, as the authors have it; the loss of both "
            "passes is noted.",
            "Epoch: as many pairs as faces are kept of the training videos; the authors take 8 "
            "frames of each.",
            "Choice: the epoch with the best validation AUC; the authors keep five by it and take "
            "the latest.",
            "Start: at random, unless an imported ImageNet file is given, as in the paper (AdvProp "
            "weights, which were trained on another input range). Its head is replaced by zeros.",
            "Frames: three a second, the mean of their logits, each face by itself; the authors "
            "take 32 frames, of each the highest probability of its faces, and the mean of those.",
            "Embedding: the 1792 numbers before dropout and the last layer.",
        ),
    ),
    fixtures=("efficientnet_b4_lukemelas.json",),
    verified="fixture, of the network's package; no published file available",
    input=InputSpec(
        region="face",
        margin=1.25,
        size=(380, 380),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        frames=1,
        fps=3.0,
    ),
    recipe=Recipe(
        loss=_loss,
        optimizer=Optimizer(kind="sam", learning_rate=1e-3, momentum=0.9),
        schedule=Schedule(epochs=100, patience=100, kind="late_linear"),
        sampling=Sampling(batch_size=32, augment="color_and_jpeg", kind="pairs"),
        synthesis=Synthesis(kind="self_blend"),
    ),
    weights=(
        Weights(
            tag="sbi",
            license="research only (non-commercial); commercial use by agreement with the authors",
            trained_on="self-blends of FaceForensics++'s real videos (the authors' sbi.tar, entry "
            "model); 380 pixels, values in 0..1, RetinaFace's box widened by an eighth",
            polarity="two logits, real and fake; the logit here is their difference",
            importer=_from_published,
            is_non_commercial=True,
            licensor="the authors of mapooon/SelfBlendedImages",
            recognizes=lambda path: _IMAGENET_CLASSES not in rows_of(path, "_fc", "classifier"),
        ),
        Weights(
            tag="imagenet",
            license="Apache-2.0",
            trained_on="ImageNet (adv-efficientnet-b4-44fb3a87.pth of EfficientNet-PyTorch, or "
            "timm's tf_efficientnet_b4_ap): a start for training, not a detector",
            polarity="none: the head is replaced by zeros, so every logit is 0 until trained",
            importer=_from_published,
        ),
    ),
    outputs=("embedding",),
    cam_layer="net.conv_head",
    aggregate="mean",
    starts_from="imagenet",
)


@detector(CARD)
class SelfBlended(nn.Module):
    """EfficientNet-B4, global average, dropout, and a linear layer to the classes real and fake."""

    def __init__(self) -> None:
        super().__init__()
        self.net = efficientnet_as_in_tensorflow("b4")
        self.dropout = nn.Dropout(0.4)
        self.head = nn.Linear(B4_FEATURES, 2)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 380, 380) in 0..1; the embedding is (B, 1792)."""
        embedding = self.net(clips.squeeze(2))
        real, fake = self.head(self.dropout(embedding)).unbind(1)
        return Output(logit=fake - real, embedding=embedding)
