"""What a table or measured figure of a paper is, as a value; ``registry`` holds them all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from unmask.evaluate.condition import first_frames
from unmask.evaluate.faces import FaceRule
from unmask.evaluate.tables import ThresholdRule

Kind = Literal[
    "in-distribution",
    "leave one method out",
    "leave a group out",
    "cross-dataset",
    "robustness",
    "across compression",
    "localization",
    "forgery diversity",
    "clip length",
    "training size",
    "frame order",
    "feature map",
    "occlusion sensitivity",
    "ablation",
]

FF = "faceforensics"
FOUR = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")


DF, F2F, FS, NT, FSHI = "Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter"
FIVE = (*FOUR, FSHI)
SHORT = {DF: "DF", F2F: "F2F", FS: "FS", NT: "NT", FSHI: "FShi"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value of a table: what is measured, and where.

    Attributes:
        column: its heading; cells with the same heading are joined to one value, their mean.
        metric: its name, see ``unmask.metrics.registry``.
        dataset: an adapter's name.
        methods: forgeries of the test split; empty: all that are there.
        compression: level of the test videos; empty: any.
        condition: what is done to the test videos, see ``condition``; empty: nothing.
        train: methods of the training set; empty: those of the protocol.
        variant: which of several trainings; empty where one serves the whole table.
        videos: how many real training videos are taken; None: all.
        settings: what the training changes, for ``train --set``.
        also: data sets that the training set takes forgeries from beside the protocol's.
        share: the value's factor in its column's sum; None: of a mean.
        at: its column's place on the protocol's axis.
        curve: which of several curves its column belongs to.
        granularity: whether a score belongs to a video, or to a clip (a frame, of an image
            detector).
        is_averaged: whether the table's average has it.
    """

    column: str
    metric: str
    dataset: str = FF
    methods: tuple[str, ...] = ()
    compression: str = ""
    condition: str = ""
    train: tuple[str, ...] = ()
    variant: str = ""
    videos: int | None = None
    settings: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    share: float | None = None
    at: float | None = None
    curve: str = ""
    granularity: Literal["video", "clip"] = "video"
    is_averaged: bool = True


class Change(NamedTuple):
    """What a table changes in a detector's recipe.

    Attributes:
        detector: its name.
        settings: for ``train --set``.
        reason: in the paper's terms, for the reader of the table.
    """

    detector: str
    settings: tuple[str, ...]
    reason: str


class Published(NamedTuple):
    """A row of the paper's table; None where the paper has no value."""

    model: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A table or measured figure of a paper.

    Attributes:
        name: paper/table.
        kind: what it asks.
        title: the same in words, with what the models are trained on.
        train_dataset: where the training, and the threshold's validation videos, come from.
        train_methods: what a model is trained on unless a cell says otherwise.
        train_compression: level of the training videos; empty: that of the cell.
        cells: what is measured.
        average: heading of a last column with the mean of all cells; empty: none.
        published: the paper's rows, a value for each column.
        notes: what a reader of the values must know.
        axis: what its columns are drawn over, with the unit; empty: they are no curve.
        elsewhere: the command that makes what this table shows, where that is no score.
        stand_in: what the data are instead of the paper's; empty: they are the paper's.
        detectors: the paper's models that there are here, its own first.
        quick: those of them for a run of all protocols, where all would take too long; empty: all.
        changes: in the recipes of detectors, for this table.
        starts: pairs of a detector and the one whose training it begins with: each of its
            trainings with one on the same videos.
        threshold: what accuracies are measured at; the papers' networks decide at 0.
        faces: which faces of a video count; the papers have one in each video.
        first_s: of a feature map: a video is one vector, the mean over the clips of so many first
            seconds; None: single clips.
        frames: so many first frames of a test video count; None: all.
    """

    name: str
    kind: Kind
    title: str
    train_dataset: str = FF
    train_methods: tuple[str, ...] = FOUR
    train_compression: str = ""
    cells: tuple[Cell, ...] = ()
    average: str = ""
    published: tuple[Published, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    axis: str = ""
    elsewhere: str = ""
    stand_in: str = ""
    detectors: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    starts: tuple[tuple[str, str], ...] = ()
    threshold: ThresholdRule = "0"
    faces: FaceRule = "main"
    first_s: float | None = None
    frames: int | None = None

    def settings_of(self, detector: str) -> tuple[str, ...]:
        """What the table changes in a detector's recipe."""
        return tuple(
            setting
            for change in self.changes
            if change.detector == detector
            for setting in change.settings
        )

    def condition_of(self, cell: Cell) -> str:
        """What is done to the test videos of a cell, and how many of their frames count."""
        return first_frames(cell.condition, self.frames)

    def start_of(self, detector: str) -> str | None:
        """The detector whose training, on the same videos, a detector begins with."""
        return dict(self.starts).get(detector)

    @property
    def paper(self) -> str:
        """The paper's short name."""
        return self.name.partition("/")[0]

    @property
    def table(self) -> str:
        """The table or figure in it."""
        return self.name.partition("/")[2]

    @property
    def columns(self) -> dict[str, tuple[Cell, ...]]:
        """The cells of each column, and those that the average has."""
        found: dict[str, tuple[Cell, ...]] = {}
        for cell in self.cells:
            found[cell.column] = (*found.get(cell.column, ()), cell)
        averaged = tuple(cell for cell in self.cells if cell.is_averaged)
        return found | ({self.average: averaged} if self.average else {})

    @property
    def headings(self) -> tuple[str, ...]:
        """One for each value of a published row."""
        return tuple(self.columns)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Data sets that it tests on."""
        return tuple(dict.fromkeys(cell.dataset for cell in self.cells))

    @property
    def keeps_embeddings(self) -> bool:
        """Whether it shows what the networks make of a clip, not their scores alone."""
        return self.kind == "feature map"


def published_rows(text: str) -> tuple[Published, ...]:
    """Published rows out of lines "model: value value …"; "-" is no value."""
    rows = []
    for line in text.strip().splitlines():
        model, _, values = line.strip().rpartition(":")
        numbers = tuple(None if v == "-" else float(v) for v in values.split())
        rows.append(Published(model, numbers))
    return tuple(rows)


def left_out(methods: tuple[str, ...], among: tuple[str, ...], metric: str) -> tuple[Cell, ...]:
    """A training for each method without it, tested on it."""
    return tuple(
        Cell(
            column=SHORT[method],
            metric=metric,
            methods=(method,),
            compression="c23",
            train=tuple(other for other in among if other != method),
            variant=f"without-{method}",
        )
        for method in methods
    )


def per_level(
    metrics: tuple[str, ...], methods: tuple[str, ...], levels: tuple[str, ...]
) -> tuple[Cell, ...]:
    """A training with all methods for each level of compression, tested on it."""
    return tuple(
        Cell(
            column=f"{level} {metric}",
            metric=metric,
            methods=methods,
            compression=level,
            variant=level,
        )
        for level in levels
        for metric in metrics
    )


def of_frames(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The same cells at frame level: a score for each clip, of an image detector each frame."""
    return tuple(
        replace(
            cell,
            column=cell.column.replace(cell.metric, f"frame {cell.metric}"),
            granularity="clip",
        )
        for cell in cells
    )


def per_method(
    metrics: tuple[str, ...], methods: tuple[str, ...], levels: tuple[str, ...]
) -> tuple[Cell, ...]:
    """A training for each method and compression, tested on both."""
    return tuple(
        Cell(
            column=" ".join([level, SHORT[method], *([metric] if len(metrics) > 1 else [])]),
            metric=metric,
            methods=(method,),
            compression=level,
            train=(method,),
            variant=f"{SHORT[method]}-{level}",
        )
        for level in levels
        for method in methods
        for metric in metrics
    )


def elsewhere(
    column: str, dataset: str, metric: str = "AUC", methods: tuple[str, ...] = (), level: str = ""
) -> Cell:
    """One training for the whole table, tested on another data set."""
    return Cell(column=column, metric=metric, dataset=dataset, methods=methods, compression=level)
