"""Two-branch network: real face sequences near one point, forged ones far from it.

One branch sees colors, the other what a Laplacian of Gaussian leaves of them; joined, they go
through a DenseNet and a bidirectional LSTM, and the distance of the result from a fixed center
is the score (Masi et al., ECCV 2020). What differs from the paper is listed in the card.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Ablation, Card, Output, Paper, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.errors import DataError, UsageError
from unmask.losses import binary_loss, radial_margin_loss, radii_for
from unmask.nn.densenet import (
    BRANCH_PLANES,
    FEATURES,
    FIRST_HALF,
    STEM_PLANES,
    InterleavedFusion,
    densenet_halves,
    densenet_state,
)
from unmask.nn.frames import features_of_frames
from unmask.nn.fresh import fresh_state
from unmask.nn.laplacian import LaplacianOfGaussian
from unmask.nn.recurrent import run_recurrent
from unmask.types import InputSpec

_SIGMAS = (1.0, 2.0, 4.0)
_RATE = 1e-3


def _loss(output: Output, target: Target) -> Tensor:
    """Eq. 2; cross entropy for the network that is built for it, which has no embedding."""
    if output.embedding is None:
        return binary_loss(output.logit, target.label)
    inner, outer = radii_for(output.embedding.shape[1])
    distance = output.logit + (inner + outer) / 2
    return radial_margin_loss(distance, target.label, inner=inner, outer=outer)


def _from_torchvision(path: Path) -> dict[str, Tensor]:
    """ImageNet's DenseNet-121 for both branches and the trunk; the other parts as when new."""
    first, second = densenet_state(read_tensors(path))
    own = ("rgb.", "trunk.", *(f"log.{layer}." for layer in FIRST_HALF))
    state = fresh_state(TwoBranch, without=own)
    state |= {f"{branch}.{key}": first[key] for branch in ("rgb", "log") for key in first}
    return state | {f"trunk.{key}": value for key, value in second.items()}


_FRAME = ("hidden=0", "input.frames=1")
_SLOW = {"rgb": 1.25e-5} | {
    f"trunk.{part}{number}": rate
    for number, rate in ((2, 2.5e-5), (3, 5e-5))
    for part in ("denseblock", "transition")
}
# With one method there are as many forged videos as real ones: no class is seen more often.
_ALIKE = "balance=(1.0, 1.0)"


def _ablation(part: str, row: str, *settings: str, also: tuple[str, ...] = ()) -> Ablation:
    """A row of table 1; all begin with ImageNet's weights, as far as these fit."""
    tables = (f"two_branch/table1{part}", *also)
    return Ablation(row=row, tables=tables, settings=settings)


_ABLATIONS = (
    _ablation(
        *("a", "encoder", "has_log=false", *_FRAME, "objective=cross_entropy", "dropout=0.0"),
        *("learning_rate=1e-4", "learning_rates={}", "sampling=balanced"),
    ),
    _ablation(
        *("a", "ft+drop+loss", "has_log=false", *_FRAME, "learning_rate=1e-4"),
        *(f"learning_rates={_SLOW}", "sampling=balanced"),
        # A plain DenseNet (section 3.3), trained with the loss.
        also=("two_branch/figure4b",),
    ),
    # Section 4.1: the last configuration of table 1a is the baseline of table 1b.
    _ablation(
        *("b", "one-branch", "has_log=false", *_FRAME, "learning_rate=1e-4"),
        *(f"learning_rates={_SLOW}", "sampling=balanced"),
    ),
    _ablation(
        *("b", "two-branch", *_FRAME, "learning_rate=1e-4"),
        *(f"learning_rates={_SLOW}", "sampling=balanced"),
    ),
    _ablation("c", "one-rate", "groups=1", "learning_rates={}", _ALIKE),
    _ablation("c", "groups1", "groups=1", _ALIKE),
    _ablation("c", "sum", "directions=sum", _ALIKE),
    _ablation("c", "256", "hidden=256", _ALIKE),
    _ablation("c", "best", _ALIKE),
)

CARD = Card(
    name="two_branch",
    summary="Colors and band-passed features of 10 frames; real clips gather around a center.",
    paper=Paper(
        title="Two-branch Recurrent Network for Isolating Deepfakes in Videos",
        authors="Iacopo Masi, Aditya Killekar, Royston Marian Mascarenhas, "
        "Shenoy Pratik Gurudatt, Wael AbdAlmageed",
        venue="ECCV",
        year=2020,
        url="https://arxiv.org/abs/2008.03412",
        differences=(
            "Code: none is public. Where the paper is silent, what follows is our choice.",
            "Network: DenseNet-121, which the paper does not name; its sizes are the paper's "
            "(128 maps of 28 x 28 from each branch, 1024 features). The input is 224 x 224.",
            "Laplacian of Gaussian: behind the first convolution, sigma 1, 2 and 4 pixels for "
            "scales of 1/2, 1/4 and 1/8, cut off at 3 sigma, bilinear both ways, borders "
            "repeated. Its 1x1 convolution has no bias and starts as the mean of the scales.",
            "Fusion: concatenated so that each of the two groups sees half of each branch; the "
            "1x1 convolution has no bias and starts as the mean of the two branches.",
            "Embedding: the LSTM's last forward and first backward state. LSTM weights start "
            "uniform within 1 / sqrt(128), torch's own; the paper gives no bounds.",
            "Score: distance from the center minus the middle between the two radii, so that 0 "
            "lies between real and fake; the paper uses the distance itself.",
            "Radii: the paper's for embeddings of 256 and 1024 numbers. Other lengths get spheres "
            "of equal volume, a rule that the paper's own numbers follow.",
            "Learning rates: halved for every dense block that follows a block, so block 4 and "
            "the LSTM learn at 1e-3, block 3 at half of it, block 2 at a quarter, the color "
            "branch at an eighth; the whole LoG branch and the fusion at 1e-3.",
            "Weight decay: on weights only, not on biases and norms.",
            "Batches: of 16 clips; the paper gives no number. Best epoch: by validation loss.",
            "Augmentation: none; the paper names none.",
            "Frames: 1 of 7 in training too; the paper trains on sampled frames (270 a video) "
            "and says 1 of 7 only for testing.",
            "Windows: moved by one of the frames taken. That gives 101 clips for the paper's 110 "
            "test frames, thus its 70,000 samples of 700 videos; it does not state the step.",
            "Faces: CenterFace, turned upright by five landmarks, 1.3 x the box, all persons; the "
            "paper aligns with dlib (else FAN) by a chain it does not give, and takes the largest.",
            "Start: at random, unless an imported ImageNet file is given, as in the paper.",
            "DFDC: the number of sequences and the threshold are not cross-validated.",
        ),
    ),
    compared_in=("LipForensics", "Two-branch"),
    verified="not verified against the authors' code: none is public",
    input=InputSpec(
        region="face",
        align="similarity",
        margin=1.3,
        size=(224, 224),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        frames=10,
        stride=7,
        hop=1,
    ),
    recipe=Recipe(
        loss=_loss,
        starts_after_weights=True,
        optimizer=Optimizer(
            kind="adam",
            learning_rate=_RATE,
            learning_rates={
                "rgb": _RATE / 8,
                "trunk.denseblock2": _RATE / 4,
                "trunk.transition2": _RATE / 4,
                "trunk.denseblock3": _RATE / 2,
                "trunk.transition3": _RATE / 2,
            },
            weight_decay=1e-6,
        ),
        schedule=Schedule(
            # The schedule ends training: 50 stratified epochs at each of four rates without a
            # better validation loss.
            epochs=2000,
            patience=250,
            kind="plateau",
            wait_epochs=50,
            factor=0.1,
            times=3,
            monitor="negative_loss",
        ),
        sampling=Sampling(batch_size=16, kind="stratified", balance=(2.0, 0.5)),
    ),
    weights=(
        Weights(
            tag="imagenet",
            license="BSD-3-Clause",
            trained_on="ImageNet (torchvision's densenet121-a639ec97.pth): a start for training, "
            "not a detector",
            polarity="none: center and LSTM are those of a new network",
            importer=_from_torchvision,
        ),
    ),
    outputs=("embedding",),
    cam_layer="trunk.norm5",
    aggregate="mean",
    args={
        "has_log": True,
        "fusion": "cat",
        "groups": 2,
        "hidden": 128,
        "directions": "cat",
        "objective": "radial",
        "dropout": 0.2,
        "sigmas": _SIGMAS,
    },
    frame_context=0,
    starts_from="imagenet",
    ablations=_ABLATIONS,
)


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(
            f"Cannot build {CARD.name} with {name}={value!r}: expected {' or '.join(known)}."
        )


@detector(CARD)
class TwoBranch(nn.Module):
    """Two DenseNet halves, their fusion, the other half, an LSTM, and the distance from a center.

    Args:
        has_log: whether the branch with the Laplacian of Gaussian is there (table 1b).
        fusion: of the branches: ``cat`` with a 1x1 convolution, or their ``sum``.
        groups: of that convolution (table 1c).
        hidden: LSTM states in each direction (table 1c). 0: no LSTM; the 1024 features are
            averaged over the frames (tables 1a and 1b, which have one frame a clip).
        directions: how the LSTM's two are joined: ``cat`` or ``sum`` (table 1c).
        objective: ``radial``, or ``cross_entropy`` with a linear layer and without a center
            (table 1a); the latter gives no embedding.
        dropout: share of each dense layer's new maps (table 1a).
        sigmas: of the Gaussians, in pixels of maps at half the input's size.

    Raises:
        UsageError: an argument is none of those above, or groups do not divide the maps.
    """

    center: Tensor

    def __init__(
        self,
        has_log: bool = True,
        fusion: str = "cat",
        groups: int = 2,
        hidden: int = 128,
        directions: str = "cat",
        objective: str = "radial",
        dropout: float = 0.2,
        sigmas: Sequence[float] = _SIGMAS,
    ) -> None:
        super().__init__()
        _check_choice("fusion", fusion, ("cat", "sum"))
        _check_choice("directions", directions, ("cat", "sum"))
        _check_choice("objective", objective, ("radial", "cross_entropy"))
        if groups < 1 or BRANCH_PLANES % groups:
            raise UsageError(
                f"Cannot build {CARD.name} with groups={groups}: expected a divisor of the "
                f"{BRANCH_PLANES} maps, such as 1 or 2."
            )
        self.rgb, self.trunk = densenet_halves(dropout)
        self.log = _log_branch(dropout, sigmas) if has_log else None
        is_convolved = has_log and fusion == "cat"
        self.fuse = InterleavedFusion(BRANCH_PLANES, groups) if is_convolved else None
        # Torch draws all weights of an LSTM uniformly.
        self.lstm = (
            nn.LSTM(FEATURES, hidden, batch_first=True, bidirectional=True) if hidden else None
        )
        self.sums_directions = directions == "sum"
        width = FEATURES if not hidden else hidden if self.sums_directions else 2 * hidden
        self.head = nn.Linear(width, 1) if objective == "cross_entropy" else None
        if self.head is None:
            self.register_buffer("center", torch.zeros(width))
            self.midpoint = sum(radii_for(width)) / 2

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, T, H, W), normalized as for ImageNet; the embedding is (B, D)."""
        return self.classify(self.frame_features(clips))

    def frame_features(self, clips: Tensor, context: tuple[int, int] = (0, 0)) -> Tensor:
        """Features (B, T, 1024) of clips (B, 3, T, H, W), each frame by itself."""
        return features_of_frames(self._describe, clips, context)

    def classify(self, features: Tensor) -> Output:
        """Scores of the features (B, T, 1024) of clips."""
        embedding = self._embed(features)
        if self.head is not None:
            return Output(logit=self.head(embedding).squeeze(1))
        distance = torch.linalg.vector_norm(embedding - self.center, dim=1)
        return Output(logit=distance - self.midpoint, embedding=embedding)

    def start_from_clips(self, batches: Iterable[Tensor]) -> None:
        """Makes the mean embedding of real clips the center; it is then never moved (section 3.3).

        Called once before the first training step, with all real training sequences. Built for
        cross entropy, the network has no center, and nothing is looked at.

        Args:
            batches: (B, 3, T, H, W) each, normalized.

        Raises:
            DataError: there is not one clip.
        """
        if self.head is not None:
            return
        modes = {module: module.training for module in self.modules()}
        total = torch.zeros_like(self.center, dtype=torch.float64)
        count = 0
        self.eval()
        with torch.no_grad():
            for clips in batches:
                embedding = self._embed(self.frame_features(clips))
                total += embedding.double().sum(dim=0)
                count += len(clips)
        for module, mode in modes.items():
            module.training = mode
        if not count:
            raise DataError(
                f"Cannot compute the center of {CARD.name}: expected real training clips, got "
                "none. Add real videos to the training data."
            )
        self.center.copy_(total / count)

    def _describe(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 1024)."""
        maps = self.rgb(pictures)
        if self.log is not None:
            other = self.log(pictures)
            maps = maps + other if self.fuse is None else self.fuse(maps, other)
        return functional.relu(self.trunk(maps)).mean(dim=(2, 3))

    def _embed(self, features: Tensor) -> Tensor:
        """(B, T, 1024) to (B, D)."""
        if self.lstm is None:
            return features.mean(dim=1)
        forward, backward = run_recurrent(self.lstm, features)[1].unbind()
        return forward + backward if self.sums_directions else torch.cat([forward, backward], 1)


def _log_branch(dropout: float, sigmas: Sequence[float]) -> nn.Sequential:
    first, _ = densenet_halves(dropout)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, layer in first.named_children():
        layers[name] = layer
        if name == "conv0":
            layers["laplacian"] = LaplacianOfGaussian(STEM_PLANES, STEM_PLANES, sigmas)
    return nn.Sequential(layers)
