"""One comparison as data, and a plan of them: a file with one JSON object a line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unmask.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One short training.

    Attributes:
        name: of the run; those named ``NAME-0``, ``NAME-1`` differ in the seed alone.
        material: what forgeries are made of, a key of ``MATERIALS``.
        size: of the network's input, in pixels.
        seed: of the network's first weights and of the material.
        steps: of the optimizer.
        pairs: in a step, each a real face and a forgery of it.
        rate: learning rate, cosine to 0 after a short rise.
        decay: of weights alone.
        clip: largest norm of the gradients.
        average: share of the past in a moving average of the weights; 0: none.
        sam: radius of sharpness-aware steps; 0: none. A step then costs twice.
        twin: weight of the distance of one face at two rates; the material must have twins.
        frozen: stages that are not trained, after the stem; -1 trains the stem too.
        args: of the detector ``efficientnet_lite``, where they are not the card's.
        start: a run whose network this one goes on from; empty: ImageNet.
        soup: runs whose weights are averaged, in place of training.
        flip: scores the mirror image too.
        base: the run that this one is compared with.
        note: what differs, in words.
    """

    name: str
    material: str = "base"
    size: int = 160
    seed: int = 0
    steps: int = 300
    pairs: int = 12
    rate: float = 8e-4
    decay: float = 0.02
    clip: float = 2.0
    average: float = 0.0
    sam: float = 0.0
    twin: float = 0.0
    frozen: int = 2
    args: Mapping[str, object] = field(default_factory=dict)
    start: str = ""
    soup: Sequence[str] = ()
    flip: bool = False
    base: str = "base-0"
    note: str = ""

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return dataclasses.asdict(self)


def read_plan(path: Path) -> Iterator[Run]:
    """The runs of a plan; empty lines and those that begin with # are left out.

    Raises:
        DataError: a line is no such object.
    """
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            yield Run(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise DataError(
                f"Cannot read line {number} of '{path}': {error}. Expected one JSON object with "
                "the fields of benchmarks.compare_recipes._plan.Run."
            ) from error
