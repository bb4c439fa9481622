"""ResNet-50 and a spatial pyramid of maxima, trained on faces that were warped onto themselves.

Exposing DeepFake Videos By Detecting Face Warping Artifacts (Li & Lyu, CVPR Workshops 2019), in
the authors' later form with pooling at three scales (DSP-FWA). The published class 0 is fake;
here it is turned round, so that a logit above 0 means fake. What differs is listed in the card.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Card, Output, Paper, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule, Synthesis
from unmask.detectors.registry import detector
from unmask.losses import binary_loss
from unmask.nn.fresh import fresh_state
from unmask.nn.heads import add_batch_counters, rename
from unmask.nn.resnet import FEATURES, resnet50
from unmask.types import InputSpec

_GRIDS = (1, 2, 6)
_BGR_MEANS = (103.939, 116.779, 123.68)
_HEAD_STD = 1e-5
"""Of the last layer in a new network: torch's own spread makes so wide a layer explode."""

_IMAGENET_STD = (0.229, 0.224, 0.225)


def _loss(output: Output, target: Target) -> Tensor:
    return binary_loss(output.logit, target.label)


def _from_published(path: Path) -> dict[str, Tensor]:
    """The authors' file, whose last layers of ResNet its network never calls."""
    state = {
        key: value
        for key, value in read_tensors(path).items()
        if not key.startswith(("resnet.fc.", "resnet.resnet.fc."))
    }
    rename(state, "resnet.resnet", "net")
    rename(state, "classifier", "head")
    return state


def _from_imagenet(path: Path) -> dict[str, Tensor]:
    """Torchvision's file, its first layer fitted to this input; the head is 0."""
    state = {k: v for k, v in read_tensors(path).items() if not k.startswith("fc.")}
    add_batch_counters(state)
    first = state.get("conv1.weight")
    if first is not None and first.shape[1] == 3:
        # It was trained on RGB in units of a standard deviation and gets BGR in 0..255.
        spread = 255 * first.new_tensor(_IMAGENET_STD).view(1, 3, 1, 1)
        state["conv1.weight"] = (first / spread).flip(1)
    head = fresh_state(DspFwa, without=("net.",))
    head = {key: torch.zeros_like(value) for key, value in head.items()}
    return {f"net.{key}": value for key, value in state.items()} | head


CARD = Card(
    name="dsp_fwa",
    summary="ResNet-50 with a pyramid of maxima; learns the traces of warping a face.",
    paper=Paper(
        title="Exposing DeepFake Videos By Detecting Face Warping Artifacts",
        authors="Yuezun Li, Siwei Lyu",
        venue="CVPR Workshops",
        year=2019,
        url="https://arxiv.org/abs/1811.00656",
        code="https://github.com/yuezunli/DSP-FWA",
        differences=(
            "Network: DSP-FWA's, which the papers compare with; the paper itself has VGG-16 and "
            "ResNets without a pyramid.",
            "Polarity: the published class 0 is fake; the logit is z_0 - z_1.",
            "Pyramid: adaptive maxima on grids of 1, 2 and 6, which at 224 pixels equals the "
            "authors' windows of ceil(n/g) with steps of floor(n/g).",
            "Training samples: the code for them is not published. Here the whole face or a part "
            "of it is taken to a side of 64 to 192 pixels, blurred by 5 x 5 and warped back, with "
            "masks drawn from five landmarks; in half of them the color of the face changes.",
            "Augmentation: brightness, contrast, color and a box that moves; the paper also "
            "changes sharpness and distortion, and the code cuts ten boxes of random margins.",
            "Second stage of training (the paper's hard examples, 1e-4): left out.",
            "Rate: 1e-6 for the last layer, whose 83,968 inputs the paper's networks do not have; "
            "it also starts near 0. How the authors trained DSP-FWA is not published.",
            "Schedule: x 0.95 after every epoch; the paper does so after every 1,000 batches. "
            "Momentum 0.9, which the paper does not give.",
            "Crop: 1.2 x the longest side of the CenterFace box, one for a frame. The authors "
            "score ten boxes around dlib's landmarks, widened by up to an eighth of their width "
            "and a fifth of their height, and take the mean of the five highest probabilities.",
            "Video: mean logit of the highest quarter of the frames; the authors take the mean "
            "probability of the highest third.",
            "Start: at random, unless an imported ImageNet file is given. Its first layer is "
            "converted from RGB in units of a standard deviation to BGR in 0..255; the head is 0.",
        ),
    ),
    compared_in=("LipForensics", "Two-branch"),
    fixtures=("dsp_fwa_sppnet50.json",),
    verified="fixture; no published file available",
    input=InputSpec(
        region="face",
        margin=1.2,
        size=(224, 224),
        # The network turns the channels round and sees BGR in 0..255 minus these means.
        mean=(_BGR_MEANS[2] / 255, _BGR_MEANS[1] / 255, _BGR_MEANS[0] / 255),
        std=(1 / 255, 1 / 255, 1 / 255),
        frames=1,
        fps=3.0,
    ),
    recipe=Recipe(
        loss=_loss,
        optimizer=Optimizer(
            kind="sgd",
            learning_rate=1e-3,
            # Of 83,968 maxima, which the paper's networks do not have: at 1e-3 the loss explodes.
            learning_rates={"head": 1e-6},
            momentum=0.9,
        ),
        schedule=Schedule(epochs=20, patience=20, kind="step", wait_epochs=1, factor=0.95),
        sampling=Sampling(batch_size=64, augment="color", kind="pairs"),
        synthesis=Synthesis(kind="self_blend", mix={"warped_face": 1.0}),
    ),
    weights=(
        Weights(
            tag="dsp_fwa",
            license="CC BY-NC-SA 4.0 (non-commercial)",
            trained_on="real faces and the authors' warped copies of them (SPP-res50.pth, entry "
            "net); BGR in 0..255 minus (103.939, 116.779, 123.68), boxes around dlib's landmarks",
            polarity="two logits, fake and real; inverted here",
            importer=_from_published,
            is_non_commercial=True,
            licensor="the authors of yuezunli/DSP-FWA",
        ),
        Weights(
            tag="imagenet",
            license="BSD-3-Clause",
            trained_on="ImageNet (torchvision's resnet50-0676ba61.pth): a start for training, "
            "not a detector",
            polarity="none: the head is 0, so every logit is 0 until trained",
            importer=_from_imagenet,
        ),
    ),
    cam_layer="net.layer4",
    aggregate="top_quarter_mean",
    starts_from="imagenet",
)


@detector(CARD)
class DspFwa(nn.Module):
    """ResNet-50, maxima on three grids, and a linear layer to the classes fake and real."""

    def __init__(self) -> None:
        super().__init__()
        self.net = resnet50()
        self.pools = nn.ModuleList(nn.AdaptiveMaxPool2d(grid) for grid in _GRIDS)
        self.head = nn.Linear(FEATURES * sum(grid**2 for grid in _GRIDS), 2)
        nn.init.normal_(self.head.weight, std=_HEAD_STD)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W), RGB in 0..255 minus the means of the card."""
        fake, real = self.head(self.pyramid(clips.squeeze(2).flip(1))).unbind(1)
        return Output(logit=fake - real)

    def pyramid(self, pictures: Tensor) -> Tensor:
        """What the head sees, (B, 83968), of BGR pictures (B, 3, H, W)."""
        maps = self.net(pictures)
        return torch.cat([pool(maps).flatten(1) for pool in self.pools], dim=1)
