"""What a table or measured figure of a paper is, as a value; ``protocols`` holds them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One column of a table: what is measured, and where.

    Attributes:
        column: its heading.
        figure: a name of ``tables.FIGURES`` or ``tables.LOG_PRECISION``.
        dataset: an adapter's name.
        methods: forgeries of the test split; empty: all that are there.
        compression: level of the test videos; empty: any.
        train: methods of the training set; empty: those of the protocol.
        variant: which of several trainings; empty where one serves the whole table.
    """

    column: str
    figure: str
    dataset: str = FF
    methods: tuple[str, ...] = ()
    compression: str = ""
    train: tuple[str, ...] = ()
    variant: str = ""


class Published(NamedTuple):
    """A row of the paper's table; None where the paper has no figure."""

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
        cells: the columns that are measured.
        average: heading of a last column with their mean; empty: none.
        columns: of the published rows where there are no cells.
        published: the paper's rows.
        lacks: what it would take, where ``run_protocol`` cannot run it.
    """

    name: str
    kind: Kind
    title: str
    train_dataset: str = FF
    train_methods: tuple[str, ...] = FOUR
    train_compression: str = ""
    cells: tuple[Cell, ...] = ()
    average: str = ""
    columns: tuple[str, ...] = ()
    published: tuple[Published, ...] = field(default=(), repr=False)
    lacks: str = ""

    @property
    def paper(self) -> str:
        """The paper's short name."""
        return self.name.partition("/")[0]

    @property
    def table(self) -> str:
        """The table or figure in it."""
        return self.name.partition("/")[2]

    @property
    def headings(self) -> tuple[str, ...]:
        """One for each value of a published row."""
        return self.columns or (
            *(cell.column for cell in self.cells),
            *([self.average] if self.average else []),
        )

    @property
    def datasets(self) -> tuple[str, ...]:
        """Data sets that it tests on."""
        return tuple(dict.fromkeys(cell.dataset for cell in self.cells))
