"""The detector contract: what a detector says about itself, and what it returns.

A detector is any ``nn.Module`` whose ``forward`` takes (B, C, T, H, W) float32, normalised by
its ``InputSpec`` (T = 1 for an image detector), and returns ``Output``. Its ``Card`` is the only
thing that the trainer, the river, the command line and the documentation read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from unmask.types import InputSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

_NOTHING: Mapping[str, float] = MappingProxyType({})
_NO_ARGS: Mapping[str, object] = MappingProxyType({})


class Output(NamedTuple):
    """What every detector returns.

    ``logit`` (B,), above 0 = fake; ``mask`` (B, T, h, w) logits, above 0 = forged pixel, or
    None; ``embedding`` (B, D) or None. A NamedTuple because ``torch.export`` takes it.
    """

    logit: Tensor
    mask: Tensor | None = None
    embedding: Tensor | None = None


class Target(NamedTuple):
    """What a loss compares an ``Output`` with.

    ``label`` (B,) float32, 1 = fake; ``mask`` (B, T, H, W) float32 in 0..1 at input size, 1 =
    forged, or None; ``pair`` (B,) int64: two samples with the same number are a real picture
    and a forgery made of it.
    """

    label: Tensor
    mask: Tensor | None = None
    pair: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Where a detector comes from, and in plain words where this file departs from it."""

    title: str
    authors: str
    venue: str
    year: int
    url: str
    code: str = ""
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One set of weights; the first of a card is its default.

    Attributes:
        tag: the name that ``load_detector(name, weights=tag)`` and ``-w name=tag`` take.
        url: where it can be downloaded; None when it cannot.
        file: name inside the package's ``weights`` folder; None when it does not ship.
        sha256: of the file as loaded (shipped), as downloaded (published).
        polarity: what the published number means, in words.
        importer: turns a published file into a state dict of ours; None for our own safetensors.
    """

    tag: str
    url: str | None = None
    file: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    license: str = "MIT"
    trained_on: str = ""
    polarity: str = "logit > 0 means fake"
    importer: Callable[[Path], Mapping[str, Tensor]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a detector is trained, as Python data; every field can be changed by ``--set``.

    Attributes:
        loss: ``(output, target) -> scalar``.
        learning_rate: of every part that ``learning_rates`` (module prefix -> rate) does not name.
        weight_decay: applied to weights only, never to biases and norm parameters.
        batch_size: samples per step (a pair counts as two).
        epochs: at most; ``patience`` epochs without better validation end it before.
        steps_per_epoch: None takes one pass over the data.
        schedule: ``constant``, ``cosine`` to 0 over all epochs, or ``plateau`` (x 0.1).
        freeze: prefixes of modules that are not trained and stay in eval mode.
        augment: name of the augmentation of ``blending`` applied to both classes alike.
        sampling: ``balanced`` draws both classes equally; ``pairs`` draws (real, forged) pairs.
        synthesize: name of the pseudo-forgery of ``blending`` that makes forgeries from real
            faces; None trains on the forgeries in the data.
        start: name of a method of the detector that is called once before the first step.
        monitor: validation figure that chooses the checkpoint, higher is better.
        precision: Lightning's name for the numeric precision.
    """

    loss: Callable[[Output, Target], Tensor]
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: float = 1e-3
    learning_rates: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum: float = 0.0
    weight_decay: float = 0.0
    batch_size: int = 32
    epochs: int = 20
    steps_per_epoch: int | None = None
    schedule: Literal["constant", "cosine", "plateau"] = "constant"
    patience: int = 10
    freeze: tuple[str, ...] = ()
    augment: str | None = None
    sampling: Literal["balanced", "pairs"] = "balanced"
    synthesize: str | None = None
    start: str | None = None
    monitor: Literal["auc", "pair_accuracy", "negative_loss"] = "auc"
    gradient_clip: float | None = None
    precision: str = "32-true"
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything the rest of the house needs to know of a detector.

    Attributes:
        outputs: which fields of ``Output`` are filled besides the logit: ``mask``, ``embedding``.
        cam_layer: dotted name of the layer that class activation maps look at.
        aggregate: how clip logits become a face's logit.
        args: keyword arguments that build the network.
        is_default: a scan that names no detector uses this one.
    """

    name: str
    summary: str
    paper: Paper
    input: InputSpec
    recipe: Recipe
    weights: tuple[Weights, ...] = ()
    outputs: tuple[Literal["mask", "embedding"], ...] = ()
    cam_layer: str = ""
    aggregate: Literal["mean", "top_quarter_mean", "share_over_half"] = "mean"
    args: Mapping[str, object] = field(default_factory=lambda: _NO_ARGS)
    is_default: bool = False

    def build(self) -> nn.Module:
        """An untrained network, in train mode, with ``.card`` set."""
        from unmask.detectors._registry import build

        return build(self)
