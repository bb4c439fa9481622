"""DeeperForensics-1.0: faces of 100 actors in the videos of FaceForensics++, eleven variants.

Checked against github.com/EndlessSora/DeeperForensics-1.0 (dataset/README.md): the folders of
``manipulated_videos`` are the methods (``end_to_end``, ``reenact_postprocess``,
``end_to_end_level_1`` … ``_5``, ``end_to_end_random_level``, ``end_to_end_mix_2_distortions`` …
``_4_``); ``000_M101.mp4`` is the video 000 of FaceForensics++ with the face of actor M101;
``lists/splits/{train,val,test}.txt`` hold such names. The real side is FaceForensics++'s c23,
which is not part of the download: put (or link) its ``original_sequences`` into the root.
Two names, because two splits are in use: ``deeper_forensics`` takes the lists, and
``deeper_forensics_ff`` the pairs of FaceForensics++ (lipforensics §4.1, spatio_temporal §4: "the
same split as FF++"), which it needs in ``splits/{train,val,test}.json``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from unmask.datasets._adapter import (
    SPLITS,
    Adapter,
    Found,
    count_of,
    folders_in,
    media_in,
    read_lines,
    some,
)
from unmask.datasets.faceforensics import read_pairs
from unmask.errors import DataError
from unmask.types import LabelledVideo

_BY_LISTS, _BY_PAIRS = "deeper_forensics", "deeper_forensics_ff"
_REALS = "original_sequences/youtube/c23/videos"


def _read(root: Path) -> Found:
    listed = _listed(root)
    targets = {name.partition("_")[0]: split for name, split in listed.items()}
    return _found(root, _BY_LISTS, targets, listed)


def _read_with_pairs(root: Path) -> Found:
    return _found(root, _BY_PAIRS, read_pairs(root).reals, {})


def _listed(root: Path) -> dict[str, str]:
    """Stem -> split from the data set's own lists."""
    listed: dict[str, str] = {}
    for split in SPLITS:
        path = root / "lists" / "splits" / f"{split}.txt"
        if not path.is_file():
            raise DataError(
                f"Cannot read the splits of '{root}': there is no 'lists/splits/{split}.txt' in "
                "it. It comes with the data set; unpack its 'lists' there."
            )
        listed.update({Path(line.split()[0]).stem: split for line in read_lines(path)})
    return listed


def _found(root: Path, name: str, targets: Mapping[str, str], listed: Mapping[str, str]) -> Found:
    """Rows of all variants; ``targets`` divides the videos that were forged."""
    rows: list[LabelledVideo] = []
    missing: list[str] = []
    unlisted: set[str] = set()
    for folder in folders_in(root / "manipulated_videos"):
        files = media_in(folder)
        rows += _fakes(name, folder.name, files, targets)
        unlisted |= {stem for stem in files if stem.partition("_")[0] not in targets}
        place = folder.relative_to(root).as_posix()
        missing += [f"{place}/{stem}.mp4" for stem in sorted(listed.keys() - files.keys())]
    reals = media_in(root / _REALS)
    rows += _reals(name, {stem: path for stem, path in reals.items() if stem in targets}, targets)
    notes = []
    if unlisted:
        notes.append(f"{count_of(len(unlisted), 'video')} in no split left out ({some(unlisted)})")
    if not reals:
        notes.append(
            f"no real videos: they are FaceForensics++'s; link its 'original_sequences' into the "
            f"root, so that '{_REALS}' is there"
        )
    else:
        missing += [f"{_REALS}/{stem}.mp4" for stem in sorted(targets.keys() - reals.keys())]
    return Found(rows, missing, notes)


def _fakes(
    name: str, method: str, files: Mapping[str, Path], targets: Mapping[str, str]
) -> Iterator[LabelledVideo]:
    for stem, path in files.items():
        target, _, actor = stem.partition("_")
        if target not in targets:
            continue
        yield LabelledVideo(
            path=path,
            label=1,
            dataset=name,
            split=targets[target],
            method=method,
            source_id=target,
            subject=f"ff/{target}",
            video_id=f"{method}/{stem}",
            identities=(f"ff/{target}", f"dfo/{actor}"),
        )


def _reals(
    name: str, files: Mapping[str, Path], targets: Mapping[str, str]
) -> Iterator[LabelledVideo]:
    for stem, path in files.items():
        yield LabelledVideo(
            path=path,
            label=0,
            dataset=name,
            split=targets[stem],
            source_id=stem,
            subject=f"ff/{stem}",
            video_id=f"youtube/{stem}",
            identities=(f"ff/{stem}",),
        )


_SHARED_BY_PAIRS = (
    "FaceForensics++'s pairs divide the videos, not the actors whose faces are put in"
)


def _adapter(name: str, title: str, with_pairs: bool) -> Adapter:
    return Adapter(
        name=name,
        title=title,
        paper="Jiang et al., DeeperForensics-1.0: A Large-Scale Dataset for Real-World Face "
        "Forgery Detection, CVPR 2020",
        url="https://github.com/EndlessSora/DeeperForensics-1.0",
        license="DeeperForensics-1.0 terms of use: non-commercial research",
        obtain="Fill in the form at https://github.com/EndlessSora/DeeperForensics-1.0/tree/"
        "master/dataset and run its unzip.sh.",
        layout="'manipulated_videos' and 'lists'",
        read=_read_with_pairs if with_pairs else _read,
        roots=("manipulated_videos",),
        shared=_SHARED_BY_PAIRS if with_pairs else "",
    )


ADAPTERS = (
    _adapter(_BY_LISTS, "DeeperForensics-1.0, by its own lists", with_pairs=False),
    _adapter(_BY_PAIRS, "DeeperForensics-1.0, split as FaceForensics++", True),
)
