"""AffectNet: pictures of faces with the expression they show, all of them real.

Two layouts. The official one: ``train_set/images/0.jpg`` with ``train_set/annotations/0_exp.npy``
(one number, stored as text or as an integer), and the same in ``val_set``. The plain export: one
folder per class, ``train/3/*.jpg`` or ``train/surprise/*.jpg``, and ``val``, ``test``. Checked
against public readers of both and emd §4.1, which gives the eleven categories in the order of
their numbers. The row's method is the expression's name. People are not named.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unmask.datasets._adapter import PICTURE_SUFFIXES, SPLITS, Adapter, Found, folders_in, media_in
from unmask.errors import DataError
from unmask.types import LabelledVideo

EXPRESSIONS = (
    *("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"),
    *("none", "uncertain", "no_face"),
)
"""Names by AffectNet's numbers."""

_ALSO = {"happy": "happiness", "sad": "sadness", "angry": "anger", "no-face": "no_face"}
_NAMES = {
    **{str(number): name for number, name in enumerate(EXPRESSIONS)},
    **{name: name for name in EXPRESSIONS},
    **_ALSO,
}


def _read(root: Path) -> Found:
    rows: list[LabelledVideo] = []
    missing: list[str] = []
    notes: list[str] = []
    for split in SPLITS:
        official = root / f"{split}_set"
        if official.is_dir():
            _read_official(root, split, rows, missing)
        for folder in folders_in(root / split):
            name = _NAMES.get(folder.name.lower())
            if name is None:
                notes.append(f"'{split}/{folder.name}' is no expression: left out")
                continue
            rows += _rows(root, split, name, media_in(folder, PICTURE_SUFFIXES))
    return Found(rows, missing, notes)


def _read_official(root: Path, split: str, rows: list[LabelledVideo], missing: list[str]) -> None:
    folder = root / f"{split}_set"
    images = media_in(folder / "images", PICTURE_SUFFIXES)
    annotations = {
        stem.removesuffix("_exp"): path
        for stem, path in media_in(folder / "annotations", frozenset({".npy"})).items()
        if stem.endswith("_exp")
    }
    for stem, path in images.items():
        if stem in annotations:
            rows += _rows(root, split, _expression(annotations[stem]), {stem: path})
    place = folder.name
    missing += [f"{place}/images/{stem}.jpg" for stem in sorted(annotations.keys() - images.keys())]
    missing += [
        f"{place}/annotations/{stem}_exp.npy" for stem in sorted(images.keys() - annotations.keys())
    ]


def _expression(path: Path) -> str:
    try:
        return EXPRESSIONS[_index(np.load(path, allow_pickle=False).item())]
    except (ValueError, IndexError, OSError, EOFError) as error:
        raise DataError(
            f"Cannot read '{path}': expected one number from 0 to {len(EXPRESSIONS) - 1} "
            f"({error}). Unpack the annotations again."
        ) from error


def _index(value: object) -> int:
    number = int(str(value))
    if number < 0:
        raise IndexError(f"got {number}")
    return number


def _rows(root: Path, split: str, name: str, files: dict[str, Path]) -> Iterator[LabelledVideo]:
    for path in files.values():
        place = path.relative_to(root).with_suffix("").as_posix()
        yield LabelledVideo(
            path=path,
            label=0,
            dataset="affectnet",
            split=split,
            method=name,
            source_id=place,
            video_id=place,
        )


ADAPTERS = (
    Adapter(
        name="affectnet",
        title="AffectNet (facial expressions, for expression pretraining)",
        paper="Mollahosseini et al., AffectNet: A Database for Facial Expression, Valence, and "
        "Arousal Computing in the Wild, IEEE TAC 2017",
        url="http://mohammadmahoor.com/affectnet/",
        license="AffectNet agreement: non-commercial research",
        obtain="Request it at http://mohammadmahoor.com/affectnet/ and unpack it.",
        layout="'train_set/images' and 'train_set/annotations', or 'train/CLASS/*.jpg'",
        read=_read,
        roots=(
            *(f"{split}_set/images" for split in SPLITS),
            *(f"{split}/{name}" for split in SPLITS for name in (*_NAMES, *map(str.title, _NAMES))),
        ),
    ),
)
