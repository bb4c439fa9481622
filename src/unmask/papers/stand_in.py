"""The papers' protocols on other data of the same shape: what stands for what, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from unmask.errors import UnknownNameError
from unmask.papers.protocol import DF, F2F, FS, FSHI, NT, Cell, Protocol, Published


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """What takes the place of the papers' data sets.

    Attributes:
        name: as ``--stand-in`` takes it.
        note: what the values are then, in a sentence.
        trained: the data set that models are trained on, and tested on where the paper does.
        other: the data set for tests on data that no model was trained on.
        methods: forgery method of a paper -> the one that stands for it.
        level: of compression, where the paper's data set has none.
        videos: numbers of real training videos of a paper -> those taken here; None: all.
        part: folder below the first data set's root where the other one may lie.
    """

    name: str
    note: str
    trained: str
    other: str
    methods: Mapping[str, str]
    level: str
    videos: Mapping[int, int | None]
    part: str

    def layouts(self, root: Path) -> tuple[str, ...]:
        """Adapters that can read a root."""
        return (self.trained, *([self.other] if (root / self.part).is_dir() else []))


# By task and architecture: swaps and reenactments, learned and by a model of the face.
_MINIBENCH: Final = StandIn(
    name="minibench",
    note="On the miniature benchmark, which measures machinery and trends, not field accuracy.",
    trained="minibench",
    other="minibench_other",
    methods=MappingProxyType(
        {
            DF: "inner_face_blend",
            F2F: "landmark_warp",
            FS: "whole_face_blend",
            NT: "re_rendering",
            FSHI: "mouth_swap_in_time",
            "end_to_end": "re_rendering",
        }
    ),
    level="c23",
    videos=MappingProxyType({10: 1, 50: 2, 100: 3, 200: 4, 300: 5, 700: None}),
    part="other",
)

STAND_INS: Final[Mapping[str, StandIn]] = MappingProxyType({_MINIBENCH.name: _MINIBENCH})


def get_stand_in(name: str) -> StandIn:
    """The stand-in of a name.

    Raises:
        UnknownNameError: there is none; the message lists the known ones.
    """
    if name not in STAND_INS:
        raise UnknownNameError(f"Unknown stand-in {name!r}. Known: {', '.join(STAND_INS)}.")
    return STAND_INS[name]


def on(protocol: Protocol, stand_in: StandIn) -> Protocol:
    """The same protocol on other data: its data sets, methods, levels and numbers put in place.

    Cells that are trained on a second data set are left out: the stand-in's second one is for
    tests alone. The published values stay, and ``stand_in`` says that they are of other data.

    Args:
        protocol: of ``get_protocol``.
        stand_in: of ``get_stand_in``.
    """
    cells = tuple(_cell(cell, protocol, stand_in) for cell in protocol.cells if not cell.also)
    named = ", ".join(f"{old} = {new}" for old, new in stand_in.methods.items())
    return replace(
        protocol,
        train_dataset=stand_in.trained,
        train_methods=_methods(protocol.train_methods, stand_in),
        train_compression=_train_level(protocol, stand_in),
        cells=cells,
        frames=None,  # its videos are short
        published=_published(protocol),
        stand_in=f"{stand_in.note} The paper's values are of other data and cannot be compared. "
        f"Methods: {named}.",
    )


def _cell(cell: Cell, protocol: Protocol, stand_in: StandIn) -> Cell:
    """A cell on the data that stand for its own; a number in its heading is put in place too."""
    column, videos = cell.column, cell.videos
    if videos is not None:
        videos = stand_in.videos[videos]
        text = "all" if videos is None else str(videos)
        column = f" {column} ".replace(f" {cell.videos} ", f" {text} ").strip()
    is_apart = cell.dataset != protocol.train_dataset
    return replace(
        cell,
        column=column,
        dataset=stand_in.other if is_apart else stand_in.trained,
        methods=_methods(cell.methods, stand_in),
        compression=cell.compression or stand_in.level,
        train=_methods(cell.train, stand_in),
        variant=_variant(cell.variant, stand_in),
        videos=videos,
        at=cell.at if cell.videos is None else videos,
    )


def _variant(variant: str, stand_in: StandIn) -> str:
    """A training's name with the methods that are really left out."""
    for old, new in stand_in.methods.items():
        variant = variant.replace(old, new)
    return variant


def _methods(methods: tuple[str, ...], stand_in: StandIn) -> tuple[str, ...]:
    return tuple(stand_in.methods[method] for method in methods)


def _train_level(protocol: Protocol, stand_in: StandIn) -> str:
    """The level of the training; where the paper's data have none, that of all tests."""
    has_levels = protocol.train_compression or any(cell.compression for cell in protocol.cells)
    return protocol.train_compression if has_levels else stand_in.level


def _published(protocol: Protocol) -> tuple[Published, ...]:
    """The paper's rows without the columns that are left out."""
    stay = [not any(cell.also for cell in cells) for cells in protocol.columns.values()]
    return tuple(
        row._replace(values=tuple(compress(row.values, stay))) for row in protocol.published
    )
