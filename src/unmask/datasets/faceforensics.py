"""FaceForensics++ with FaceShifter and DeepFakeDetection, as its download script lays it out.

Checked against github.com/ondyari/FaceForensics (dataset/README.md, dataset/splits, the paths of
the download script, which offers no masks for FaceShifter): ``a_b.mp4`` is the video ``a`` with
the face of ``b``; train.json, val.json and test.json hold 360, 70 and 70 pairs of names, so 720,
140 and 140 real videos. The name of a real video stands for the person in it: identity
``ff/000``. DeepFakeDetection forges videos of 28 actors: ``01_02__scene__ID.mp4`` is made of
``01__scene.mp4`` (as github.com/polimi-ispl/icpr2020dfdc pairs them). It has no official split;
all of it is ``test``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

from unmask.datasets._adapter import (
    SPLITS,
    Adapter,
    Found,
    count_of,
    folders_in,
    media_in,
    read_json,
    some,
)
from unmask.errors import DataError
from unmask.types import LabelledVideo

COMPRESSIONS = ("raw", "c0", "c23", "c40")
"""Folders of compression; ``c0`` is what the first release called ``raw``."""

_ACTORS = "DeepFakeDetection"
_SPLITS_URL = "https://github.com/ondyari/FaceForensics/tree/master/dataset/splits"
_SHARE = "training and test people must differ"


class Pairs(NamedTuple):
    """The official split: names of real videos and ``a_b`` of forgeries -> split."""

    reals: dict[str, str]
    fakes: dict[str, str]


def read_pairs(root: Path) -> Pairs:
    """The splits by pairs of names, from ``root`` or ``root/splits``.

    Raises:
        DataError: a list is missing or damaged, or a name stands in two of them.
    """
    reals: dict[str, str] = {}
    fakes: dict[str, str] = {}
    for split, path in zip(SPLITS, _lists(root), strict=True):
        pairs = read_json(path, 'pairs of names such as ["000", "003"]')
        if not _is_pairs(pairs):
            raise DataError(
                f"Cannot read '{path}': expected a list of pairs of names such as "
                f'["000", "003"]. Fetch it again from {_SPLITS_URL}.'
            )
        names = [name for pair in pairs for name in pair]
        twice = sorted({name for name in names if reals.get(name, split) != split})
        if twice:
            raise DataError(
                f"{count_of(len(twice), 'name')} of '{path}' are also in another split: "
                f"{some(twice)}. Expected splits without a common name, because {_SHARE}. "
                f"Fetch the lists again from {_SPLITS_URL}."
            )
        reals.update(dict.fromkeys(names, split))
        fakes.update({f"{a}_{b}": split for pair in pairs for a, b in (pair, pair[::-1])})
    return Pairs(reals, fakes)


def _lists(root: Path) -> list[Path]:
    found = []
    for split in SPLITS:
        name = f"{split}.json"
        path = next((p for p in (root / "splits" / name, root / name) if p.is_file()), None)
        if path is None:
            raise DataError(
                f"Cannot read the splits of '{root}': there is no {name} in it or in 'splits'. "
                f"Expected train.json, val.json and test.json. Fetch them from {_SPLITS_URL} "
                f"into '{root / 'splits'}'."
            )
        found.append(path)
    return found


def _is_pairs(thing: object) -> TypeGuard[list[list[str]]]:
    return isinstance(thing, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(name, str) for name in pair)
        for pair in thing
    )


def _read(root: Path) -> Found:
    groups = [*folders_in(root / "original_sequences"), *folders_in(root / "manipulated_sequences")]
    needs_pairs = any(group.name not in ("actors", _ACTORS) for group in groups)
    pairs = read_pairs(root) if needs_pairs else Pairs({}, {})
    rows: list[LabelledVideo] = []
    missing: list[str] = []
    notes: list[str] = []
    for group in groups:
        is_actors = group.name in ("actors", _ACTORS)
        listed = pairs.reals if group.parent.name == "original_sequences" else pairs.fakes
        unlisted: set[str] = set()
        for folder in _video_folders(group):
            files = media_in(folder)
            if is_actors:
                rows += _actor_rows(group, folder, files)
                continue
            rows += _rows(group, folder, {s: p for s, p in files.items() if s in listed}, listed)
            unlisted |= files.keys() - listed.keys()
            place = folder.relative_to(root).as_posix()
            missing += [f"{place}/{stem}.mp4" for stem in sorted(listed.keys() - files.keys())]
        if unlisted:
            notes.append(
                f"{group.name}: {count_of(len(unlisted), 'video')} in no split left out "
                f"({some(sorted(unlisted), 3)})"
            )
    if any(row.method == _ACTORS for row in rows):
        notes.append(f"{_ACTORS} has no official split: all of it is 'test'")
    return Found(rows, missing, notes)


def _video_folders(group: Path) -> Iterator[Path]:
    for compression in COMPRESSIONS:
        folder = group / compression / "videos"
        if folder.is_dir():
            yield folder


def _rows(
    group: Path, folder: Path, files: dict[str, Path], listed: dict[str, str]
) -> Iterator[LabelledVideo]:
    """Rows of one level of compression; a forgery ``a_b`` shows the video ``a``."""
    is_fake = group.parent.name == "manipulated_sequences"
    masks = media_in(group / "masks" / "videos") if is_fake else {}
    for stem, path in files.items():
        names = stem.split("_")
        yield LabelledVideo(
            path=path,
            label=int(is_fake),
            dataset="faceforensics",
            split=listed[stem],
            method=group.name if is_fake else "",
            source_id=names[0],
            subject=f"ff/{names[0]}",
            compression=folder.parent.name,
            mask_path=masks.get(stem),
            video_id=f"{group.name}/{stem}",
            identities=tuple(f"ff/{name}" for name in names),
        )


def _actor_rows(group: Path, folder: Path, files: dict[str, Path]) -> Iterator[LabelledVideo]:
    """Rows of DeepFakeDetection: ``01__scene`` is real, ``01_02__scene__ID`` made of it."""
    is_fake = group.name == _ACTORS
    masks = media_in(group / "masks" / "videos") if is_fake else {}
    for stem, path in files.items():
        who, _, rest = stem.partition("__")
        actors = who.split("_")
        scene = rest.rpartition("__")[0] if is_fake else rest
        yield LabelledVideo(
            path=path,
            label=int(is_fake),
            dataset="faceforensics",
            split="test",
            method=_ACTORS if is_fake else "",
            source_id=f"{actors[0]}__{scene}",
            subject=f"dfd/{actors[0]}",
            compression=folder.parent.name,
            mask_path=masks.get(stem),
            video_id=f"{group.name}/{stem}",
            identities=tuple(f"dfd/{actor}" for actor in actors),
        )


def _keeps(row: LabelledVideo, methods: frozenset[str]) -> bool:
    """Videos of actors are the real side of DeepFakeDetection alone."""
    if row.video_id.startswith("actors/"):
        return _ACTORS in methods
    return methods != {_ACTORS}


ADAPTERS = (
    Adapter(
        name="faceforensics",
        title="FaceForensics++ with FaceShifter and DeepFakeDetection",
        paper="Rössler et al., FaceForensics++: Learning to Detect Manipulated Facial Images, "
        "ICCV 2019",
        url="https://github.com/ondyari/FaceForensics",
        license="FaceForensics terms of use: non-commercial research and education",
        obtain="Fill in the form at https://github.com/ondyari/FaceForensics and run the download "
        "script that you are sent (-d all -c c23 -t videos, then -t masks).",
        layout="'original_sequences' and 'manipulated_sequences'",
        read=_read,
        roots=("original_sequences", "manipulated_sequences"),
        keeps=_keeps,
        unmasked=frozenset({"FaceShifter"}),
    ),
)
