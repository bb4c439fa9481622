"""Lip Reading in the Wild: half a million clips of 500 spoken words, all of them real.

Layout as its download page describes it: ``lipread_mp4/WORD/{train,val,test}/WORD_00001.mp4``.
The word is the row's method; numbers start again in every split, so the source bears the split.
The speakers are not named.
"""

from __future__ import annotations

from pathlib import Path

from unmask.datasets._adapter import SPLITS, Adapter, Found, folders_in, media_in
from unmask.types import LabelledVideo

_FOLDER = "lipread_mp4"


def _read(root: Path) -> Found:
    rows: list[LabelledVideo] = []
    missing = []
    for word in folders_in(root / _FOLDER):
        for split in SPLITS:
            files = media_in(word / split)
            if not files:
                missing.append(f"{_FOLDER}/{word.name}/{split}/*.mp4")
            rows += [
                LabelledVideo(
                    path=path,
                    label=0,
                    dataset="lrw",
                    split=split,
                    method=word.name,
                    source_id=f"{split}/{stem}",
                    video_id=f"{word.name}/{split}/{stem}",
                )
                for stem, path in files.items()
            ]
    return Found(rows, missing)


ADAPTERS = (
    Adapter(
        name="lrw",
        title="Lip Reading in the Wild (words, for lip-reading pretraining)",
        paper="Chung and Zisserman, Lip Reading in the Wild, ACCV 2016",
        url="https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html",
        license="BBC agreement: non-commercial academic research",
        obtain="Sign the agreement at "
        "https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html and unpack all parts.",
        layout=f"'{_FOLDER}/WORD/train/WORD_00001.mp4'",
        read=_read,
        roots=(_FOLDER,),
    ),
)
