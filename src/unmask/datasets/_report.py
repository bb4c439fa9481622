"""What is in a data set on disk, and what is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.datasets._adapter import Adapter, count_of, some
from unmask.datasets._read import find
from unmask.datasets._registry import get_adapter
from unmask.datasets._splits import in_words, shared_identities
from unmask.types import LabelledVideo


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Things of one kind that are missing: how many, and the first ten names."""

    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetReport:
    """What ``check_dataset`` found.

    ``splits``, ``methods``, ``compressions`` and ``labels`` map a name to its number of files
    (``real`` stands for rows without a method). ``missing_files`` are listed but not there,
    ``missing_masks`` are forgeries without a mask in data that has masks, ``missing_pairs`` are
    videos without a compression that others of their method have, and
    ``shared_identities`` stand in two splits although the data set's own splits should part them.
    """

    name: str
    path: Path
    files: int
    splits: dict[str, int]
    methods: dict[str, int]
    compressions: dict[str, int]
    labels: dict[str, int]
    missing_files: Missing
    missing_masks: Missing
    missing_pairs: Missing
    shared_identities: Missing
    notes: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing and no identity is in two splits."""
        return not any(missing.count for _, missing, _ in self._problems())

    def lines(self) -> list[str]:
        """The report for a person."""
        lines = [f"{self.name} at '{self.path}': {count_of(self.files, 'file')}"]
        for what in ("labels", "splits", "methods", "compressions"):
            counts: dict[str, int] = getattr(self, what)
            if any(counts):
                lines.append(f"{what}: {some([f'{n} {counts[n]:,}' for n in counts], 20)}")
        lines += [
            f"{what}: {missing.count:,} ({self._named(missing)}). {advice}"
            for what, missing, advice in self._problems()
            if missing.count
        ]
        lines += [f"note: {note}" for note in self.notes]
        lines.append("complete" if self.is_complete else "NOT complete")
        return lines

    def _problems(self) -> Iterator[tuple[str, Missing, str]]:
        yield "missing files", self.missing_files, "Fetch them, or go on without."
        yield "missing masks", self.missing_masks, "Detectors that learn masks need them."
        yield "missing in pairs of levels", self.missing_pairs, "Training on pairs needs them."
        yield (
            "identities on both sides",
            self.shared_identities,
            "Read only one split, or split the data by people.",
        )

    @staticmethod
    def _named(missing: Missing) -> str:
        rest = missing.count - len(missing.first)
        return ", ".join(missing.first) + (f" and {rest:,} more" if rest else "")


def check_dataset(name: str, path: str | Path) -> DatasetReport:
    """Reads a data set's index and says what is there and what is missing.

    Raises:
        UnknownNameError: there is no such data set.
        DataError: the path does not hold the layout, or a list of it is missing or damaged.
    """
    adapter, root = get_adapter(name), Path(path)
    found = find(adapter, root)
    rows = found.rows
    shared = shared_identities(rows)
    notes = [*found.notes, *_remarks(adapter, rows)]
    if adapter.shared and shared:
        people = count_of(len(shared), "identity", "identities")
        notes.append(f"{people} in two splits: {adapter.shared}")
        shared = {}
    return DatasetReport(
        name=name,
        path=root,
        files=len(rows),
        splits=_counts(row.split for row in rows),
        methods=_counts(row.method or "real" for row in rows),
        compressions=_counts(row.compression for row in rows),
        labels=_counts("fake" if row.label else "real" for row in rows),
        missing_files=_missing(found.missing),
        missing_masks=_missing(_without_mask(adapter, rows)),
        missing_pairs=_missing(_without_pair(rows)),
        shared_identities=_missing(in_words(shared)),
        notes=tuple(notes),
    )


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _missing(names: Sequence[str]) -> Missing:
    return Missing(count=len(names), first=tuple(names[:10]))


def _without_mask(adapter: Adapter, rows: list[LabelledVideo]) -> list[str]:
    """Forgeries without a mask, once each, if the data has masks at all."""
    fakes = [row for row in rows if row.label == 1 and row.method not in adapter.unmasked]
    if not any(row.mask_path for row in fakes):
        return []
    return sorted({row.video_id for row in fakes if row.mask_path is None})


def _without_pair(rows: list[LabelledVideo]) -> list[str]:
    """``video at level`` for levels that other videos of the same method have."""
    there: defaultdict[str, set[str]] = defaultdict(set)
    levels: defaultdict[str, set[str]] = defaultdict(set)
    kinds = {}
    for row in rows:
        if row.compression:
            # Real videos of one folder belong together: actors' are not at every level of others.
            kind = row.method or row.video_id.rpartition("/")[0]
            kinds[row.video_id] = kind
            there[row.video_id].add(row.compression)
            levels[kind].add(row.compression)
    return [
        f"{video} at {level}"
        for video, kind in kinds.items()
        for level in sorted(levels[kind] - there[video])
    ]


def _remarks(adapter: Adapter, rows: list[LabelledVideo]) -> Iterator[str]:
    fakes = [row for row in rows if row.label == 1]
    if not fakes or not any(row.label == 0 for row in rows):
        yield f"all of it is {'real' if not fakes else 'fake'}"
    masked = any(row.mask_path for row in fakes)
    if fakes and adapter.unmasked and not masked:
        yield "no masks at all: detectors that learn masks need them"
    bare = sorted({row.method for row in fakes} & adapter.unmasked)
    if masked and bare:
        yield f"{', '.join(bare)} is published without masks"
    levels: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        levels[row.method or "real"].add(row.compression)
    every = set().union(*levels.values())
    for method, there in sorted(levels.items()):
        if there != every and "" not in every:
            yield f"{method}: no {', '.join(sorted(every - there))}"
