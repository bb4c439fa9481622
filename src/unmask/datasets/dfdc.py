"""The Deepfake Detection Challenge: the training parts, validation and test folders.

Checked against copies of ``dfdc_train_part_0/metadata.json``
(``{"owxbbpjpch.mp4": {"label": "FAKE", "split": "train", "original": "wynotylpnm.mp4"}, …}``)
and the layout lists of public readers (github.com/polimi-ispl/icpr2020dfdc). The validation and
test folders hold ``labels.csv`` with the columns filename and label (0 or 1, 1 = fake); their
exact names are known from such readers only, so any folder with that file is taken, as ``val`` if
its name begins with "val", else as ``test``. Each training part holds actors of its own
(spatio_temporal §4), which makes the part the identity: ``dfdc/dfdc_train_part_0``. Every part is
``train`` there; a file ``splits.json`` in the root, ``{"val": ["dfdc_train_part_40"], …}``, says
which parts to hold out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unmask.datasets._adapter import (
    SPLITS,
    Adapter,
    Found,
    media_in,
    read_json,
    read_lines,
)
from unmask.errors import DataError
from unmask.types import LabelledVideo

_DEPTHS = ("", "*/", "*/*/")
_LABELS = {"FAKE": 1, "REAL": 0, "1": 1, "0": 0}


def _read(root: Path) -> Found:
    held_out = _held_out(root)
    rows: list[LabelledVideo] = []
    missing: list[str] = []
    labelled = _files(root, "labels.csv") + _files(root, "label.csv")
    labelled_folders = {path.parent for path in labelled}
    for path in labelled:
        _add(_labelled(path), media_in(path.parent), rows, missing, root)
    for path in _files(root, "metadata.json"):
        if path.parent not in labelled_folders:
            split = held_out.get(path.parent.name, "")
            _add(_described(path, split), media_in(path.parent), rows, missing, root)
    unknown = sorted(held_out.keys() - {row.path.parent.name for row in rows})
    notes = [f"splits.json names parts that are not here: {', '.join(unknown)}"] if unknown else []
    return Found(rows, missing, notes)


def _files(root: Path, name: str) -> list[Path]:
    return sorted(path for depth in _DEPTHS for path in root.glob(depth + name))


def _add(
    entries: Iterator[LabelledVideo],
    files: Mapping[str, Path],
    rows: list[LabelledVideo],
    missing: list[str],
    root: Path,
) -> None:
    """Sorts a list's entries into those with a file and those without."""
    for row in entries:
        if row.path.stem in files:
            rows.append(row)
        else:
            missing.append(row.path.relative_to(root).as_posix())


def _described(path: Path, held_out: str) -> Iterator[LabelledVideo]:
    """The entries of a training part's ``metadata.json``."""
    expected = '{"NAME.mp4": {"label": "FAKE" or "REAL", "split": …, "original": …}}'
    entries = read_json(path, expected)
    part = path.parent.name
    for name, entry in _items(path, entries, expected):
        label = _label(path, name, entry.get("label", entry.get("is_fake")))
        stem, source = Path(name).stem, Path(str(entry.get("original") or name)).stem
        yield LabelledVideo(
            path=path.parent / name,
            label=label,
            dataset="dfdc",
            split=held_out or str(entry.get("split") or _split_of(part)),
            method="DFDC" if label else "",
            source_id=source,
            subject=f"dfdc/{part}",
            video_id=f"{part}/{stem}",
            identities=(f"dfdc/{part}",),
        )


def _items(path: Path, entries: object, expected: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(entries, dict):
        raise DataError(f"Cannot read '{path}': expected {expected}. Fetch it again.")
    for name, entry in sorted(entries.items()):
        if not isinstance(entry, dict):
            raise DataError(
                f"Cannot read '{path}', entry '{name}': expected {expected}, got {entry!r}. "
                "Fetch it again."
            )
        yield name, entry


def _labelled(path: Path) -> Iterator[LabelledVideo]:
    """The lines of a ``labels.csv``; nothing is known of who is in these videos."""
    lines = csv.DictReader(read_lines(path))
    for entry in lines:
        name, value = entry.get("filename"), entry.get("label")
        if not name or value is None:
            raise DataError(
                f"Cannot read '{path}', line {lines.line_num}: expected the columns filename and "
                f"label, got {', '.join(lines.fieldnames or ()) or 'none'}. Fetch it again."
            )
        label, stem = _label(path, name, value), Path(name).stem
        yield LabelledVideo(
            path=path.parent / name,
            label=label,
            dataset="dfdc",
            split=_split_of(path.parent.name),
            method="DFDC" if label else "",
            source_id=stem,
            video_id=f"{path.parent.name}/{stem}",
        )


def _label(path: Path, name: str, value: object) -> int:
    label = _LABELS.get(str(value).strip().upper())
    if label is None:
        raise DataError(
            f"Cannot read '{path}', entry '{name}': expected the label FAKE, REAL, 1 (fake) or 0, "
            f"got {value!r}. Fetch it again."
        )
    return label


def _split_of(folder: str) -> str:
    return "train" if "train" in folder else "val" if folder.startswith("val") else "test"


def _held_out(root: Path) -> dict[str, str]:
    """Part -> split from ``splits.json`` in the root; empty if there is none."""
    path = root / "splits.json"
    if not path.is_file():
        return {}
    expected = '{"val": ["dfdc_train_part_40", …], "test": […]}'
    lists = read_json(path, expected)
    if not isinstance(lists, dict) or not lists.keys() <= set(SPLITS):
        raise DataError(f"Cannot read '{path}': expected {expected}. Correct it.")
    parts: dict[str, str] = {}
    for split, names in lists.items():
        twice = sorted(parts.keys() & set(names))
        if twice:
            raise DataError(
                f"'{path}' puts {', '.join(twice)} into two splits. A part's actors are on both "
                "sides then; name each part once."
            )
        parts.update(dict.fromkeys(names, split))
    return parts


ADAPTERS = (
    Adapter(
        name="dfdc",
        title="Deepfake Detection Challenge",
        paper="Dolhansky et al., The DeepFake Detection Challenge (DFDC) Dataset, 2020",
        url="https://ai.meta.com/datasets/dfdc/",
        license="DFDC data set license: research on detection, after accepting its terms",
        obtain="Accept the terms at https://ai.meta.com/datasets/dfdc/ or at "
        "https://www.kaggle.com/c/deepfake-detection-challenge/data and unpack every part.",
        layout="'dfdc_train_part_N/metadata.json' or a folder with 'labels.csv'",
        read=_read,
        roots=tuple(
            depth + name
            for depth in _DEPTHS
            for name in ("metadata.json", "labels.csv", "label.csv")
        ),
    ),
)
