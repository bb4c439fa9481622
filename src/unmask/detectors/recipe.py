"""How a detector is trained, as Python data.

A recipe has parts. ``--set`` and the records of runs name all fields in one flat list: a field has
its own name there, or the key that its ``metadata`` gives.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

    from unmask.detectors.card import Output, Target


def _field(key: str, default: Any) -> Any:
    """A field with another name in the flat list."""
    return field(default=default, metadata={"key": key})


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    """How a gradient becomes a step.

    Attributes:
        kind: ``sam`` is ``sgd`` by the gradients of the worst point nearby (sharpness-aware).
        learning_rate: of every part that ``learning_rates`` (module prefix -> rate) does not name.
        weight_decay: applied to weights only, never to biases and norm parameters.
        gradient_clip: the largest norm of the gradient; None clips nothing.
        accumulate: batches whose gradients are added up for one step.
    """

    kind: Literal["adam", "adamw", "sgd", "sam"] = _field("optimizer", "adam")
    learning_rate: float = 1e-3
    learning_rates: Mapping[str, float] = field(default_factory=dict)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum: float = 0.0
    weight_decay: float = 0.0
    gradient_clip: float | None = None
    accumulate: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Adversary:
    """Parts that are trained against the rest.

    Attributes:
        parts: prefixes of the parts that learn by ``adversary_loss``, with an optimizer of their
            own; the other step leaves them alone. Empty: none, even of a network that could.
        steps: of these for every other step, each on a batch of its own.
    """

    parts: tuple[str, ...] = _field("adversary", ())
    steps: int = _field("adversary_steps", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long training lasts, and how rates fall.

    Attributes:
        epochs: at most; ``patience`` epochs without better validation end it before.
        steps_per_epoch: None takes one pass over the data.
        kind: ``constant``, ``cosine`` to 0 over all epochs, ``plateau`` (a rate is reduced after
            ``wait_epochs`` without a lower validation loss), ``step`` (after every
            ``wait_epochs``), or ``late_linear`` (a line to 0 over the last quarter of all epochs).
        factor: by which the rate is multiplied.
        times: at most so many reductions; when one more is due, training ends.
        warmup_epochs: first epochs in which only ``warmup_parts`` (prefixes) are trained; the
            other parts stay in eval mode.
        monitor: validation metric that chooses the checkpoint, higher is better.
    """

    epochs: int = 20
    steps_per_epoch: int | None = None
    kind: Literal["constant", "cosine", "plateau", "step", "late_linear"] = _field(
        "schedule", "constant"
    )
    wait_epochs: int = _field("schedule_epochs", 5)
    factor: float = _field("schedule_factor", 0.1)
    times: int | None = _field("schedule_times", None)
    patience: int = 10
    warmup_epochs: int = 0
    warmup_parts: tuple[str, ...] = ()
    monitor: Literal["auc", "accuracy", "pair_accuracy", "negative_loss"] = "auc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What a batch is drawn from.

    Attributes:
        kind: ``balanced`` draws both classes equally; ``pairs`` draws (real, fake) pairs;
            ``stratified`` draws one random clip of every video in an epoch.
        batch_size: samples per step (a pair counts as two).
        balance: how often an epoch of ``stratified`` visits a real and a fake video; a broken
            number visits a part of them, another one in every epoch.
        cycle_methods: of the forgery methods one after the other is drawn from.
        clips_anywhere: a clip begins anywhere in a video, and another one is drawn each time.
            Else there are a few per video, which stay the same.
        twins: the better and the worse of two compressions: the detector gets the worse clip and,
            as ``Target.twin``, the better one.
        needs_masks: forgeries without a mask are refused.
        augment: name of the augmentation applied to both classes alike, one draw for a clip.
        mixup: of pretraining alone: each clip is mixed with another one of the batch, by a share
            drawn from Beta(mixup, mixup); 0 mixes nothing.
        validation_pairs: so many pairs are drawn of the validation faces, at most. None: every
            stored face once, those of the smaller class again and again; of pseudo-forgeries,
            which never end, 600 pairs.
    """

    kind: Literal["balanced", "pairs", "stratified"] = _field("sampling", "balanced")
    batch_size: int = 32
    balance: tuple[float, float] = (1.0, 1.0)
    cycle_methods: bool = False
    clips_anywhere: bool = False
    twins: tuple[str, str] | None = None
    needs_masks: bool = False
    augment: str | None = None
    mixup: float = 0.0
    validation_pairs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesis:
    """Pseudo-forgeries made of real faces.

    Attributes:
        kind: ``self_blend`` or ``coarse_blend`` (easy, for tests of learning) makes them; None
            trains on the forgeries in the data.
        mix: kinds of pseudo-forgery (see the guide to training) and how often each is drawn, in
            place of self-blends alone; empty: self-blends as they always were.
        codecs: codecs and ways of delivery, drawn for a pair alike after everything else, in
            place of those of ``augment``; empty: those of ``augment``.
        separation_weight: of ``pair_separation_loss``, and of ``mask_separation_loss`` where there
            is a mask, which are added to ``loss`` in training; for pseudo-forgeries alone, and for
            detectors without a loss of their own.
    """

    kind: str | None = _field("synthesize", None)
    mix: Mapping[str, float] = field(default_factory=dict)
    codecs: Mapping[str, float] = field(default_factory=dict)
    separation_weight: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a detector is trained; every field but ``loss`` can be changed by ``--set``.

    Attributes:
        loss: ``(output, target) -> scalar``.
        freeze: prefixes of modules that are not trained and stay in eval mode.
        start: whether a network that can be prepared from real training clips is, before the
            first step.
        starts_after_weights: whether that is done also when the run goes on from weights.
        precision: Lightning's name for the numeric precision.
        seed: of everything that is drawn.
    """

    loss: Callable[[Output, Target], Tensor]
    optimizer: Optimizer = Optimizer()
    adversary: Adversary = Adversary()
    schedule: Schedule = Schedule()
    sampling: Sampling = Sampling()
    synthesis: Synthesis = Synthesis()
    freeze: tuple[str, ...] = ()
    start: bool = True
    starts_after_weights: bool = False
    precision: str = "32-true"
    seed: int = 0

    def values(self) -> dict[str, object]:
        """The flat list: key -> value.

        >>> Recipe(loss=print, schedule=Schedule(epochs=3)).values()["epochs"]
        3
        """
        return {
            key: getattr(getattr(self, place.part) if place.part else self, place.name)
            for key, place in places().items()
        }

    def changed(self, values: Mapping[str, object]) -> Recipe:
        """With other values for some keys of the flat list; nothing is checked but the keys.

        >>> Recipe(loss=print).changed({"schedule": "cosine", "seed": 1}).schedule.kind
        'cosine'

        Raises:
            KeyError: there is no such key.
        """
        by_part: dict[str, dict[str, Any]] = {}
        for key, value in values.items():
            place = places()[key]
            by_part.setdefault(place.part, {})[place.name] = value
        own = by_part.pop("", {})
        parts = {
            part: dataclasses.replace(getattr(self, part), **changes)
            for part, changes in by_part.items()
        }
        return dataclasses.replace(self, **parts, **own)


class Place(NamedTuple):
    """Where a key's value stands: the part of the recipe (empty: itself), its class, its field."""

    part: str
    owner: type
    name: str


@cache
def places() -> Mapping[str, Place]:
    """The keys of the flat list, in order."""
    found: dict[str, Place] = {}
    for own in dataclasses.fields(Recipe):
        part = own.default
        if not dataclasses.is_dataclass(part) or isinstance(part, type):
            found[own.name] = Place("", Recipe, own.name)
            continue
        for item in dataclasses.fields(part):
            found[item.metadata.get("key", item.name)] = Place(own.name, type(part), item.name)
    return found
