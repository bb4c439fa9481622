"""Celeb-DF (v2): videos of 59 celebrities, each other's faces swapped in.

Checked against github.com/yuezunli/celeb-deepfakeforensics (Celeb-DF-v2/README.md) and copies of
List_of_testing_videos.txt: its lines are ``1 YouTube-real/00170.mp4``, where 1 means real;
``id1_id0_0007.mp4`` is ``id1_0007.mp4`` with the face of id0; 518 videos are listed. There is no
validation split: what is not listed is ``train``. The list takes videos, not people: id1 stands
in it with five videos and outside of it with others, so training and testing on this data set
shares identities. The papers only test on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unmask.datasets._adapter import Adapter, Found, media_in, read_lines
from unmask.errors import DataError
from unmask.types import LabelledVideo

_LIST = "List_of_testing_videos.txt"
_FOLDERS = {"Celeb-real": 0, "YouTube-real": 0, "Celeb-synthesis": 1}


def _read(root: Path) -> Found:
    tested = _testing_videos(root / _LIST)
    rows = [row for folder in _FOLDERS for row in _rows(root, folder, tested)]
    there = {f"{row.video_id}.mp4" for row in rows}
    return Found(rows, sorted(tested - there))


def _testing_videos(path: Path) -> set[str]:
    """``folder/name.mp4`` of the test videos; the folder decides the label."""
    if not path.is_file():
        raise DataError(
            f"Cannot read the splits of '{path.parent}': there is no {_LIST} in it. It comes with "
            "the data set; copy it there from the archive."
        )
    tested = set()
    for number, line in enumerate(read_lines(path), start=1):
        word, _, name = line.partition(" ")
        folder = name.strip().partition("/")[0]
        # Their 1 means real; ours means fake.
        if word not in ("0", "1") or _FOLDERS.get(folder) != 1 - int(word):
            raise DataError(
                f"Cannot read '{path}', entry {number}: expected '1 Celeb-real/NAME.mp4', "
                f"'1 YouTube-real/NAME.mp4' or '0 Celeb-synthesis/NAME.mp4', where 1 means real; "
                f"got '{line}'. Take the list of version 2 from the archive."
            )
        tested.add(name.strip())
    return tested


def _rows(root: Path, folder: str, tested: set[str]) -> Iterator[LabelledVideo]:
    label = _FOLDERS[folder]
    files = media_in(root / folder) or media_in(root / folder / "videos")
    for stem, path in files.items():
        *people, number = stem.split("_")
        names = tuple(f"celeb/{person}" for person in people or [f"youtube-{stem}"])
        yield LabelledVideo(
            path=path,
            label=label,
            dataset="celeb_df",
            split="test" if f"{folder}/{stem}.mp4" in tested else "train",
            method=folder if label else "",
            source_id=f"{people[0]}_{number}" if people else f"YouTube-real/{stem}",
            subject=names[0],
            video_id=f"{folder}/{stem}",
            identities=names,
        )


ADAPTERS = (
    Adapter(
        name="celeb_df",
        title="Celeb-DF (v2)",
        paper="Li et al., Celeb-DF: A Large-scale Challenging Dataset for DeepFake Forensics, "
        "CVPR 2020",
        url="https://github.com/yuezunli/celeb-deepfakeforensics",
        license="Terms to Use Celeb-DF: non-commercial research",
        obtain="Fill in the form linked at https://github.com/yuezunli/celeb-deepfakeforensics; "
        "the download link is sent to you.",
        layout="'Celeb-real', 'YouTube-real', 'Celeb-synthesis' and " + _LIST,
        read=_read,
        roots=("Celeb-real", "Celeb-synthesis", "YouTube-real"),
        shared="the official test list takes videos, not people: use split 'test' alone",
    ),
)
