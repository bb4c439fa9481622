"""The simplest layout: ``real/…`` and ``fake/<method>/…`` below one folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from unmask.datasets._adapter import MEDIA_SUFFIXES, Adapter, Found
from unmask.errors import DataError
from unmask.types import LabelledVideo

_FAKE_FOLDERS = frozenset({"fake", "forged", "manipulated"})


def read_folder(
    path: str | Path, *, split: str | None = None, validation_share: float = 0.1
) -> list[LabelledVideo]:
    """Lists the media below a folder.

    What lies below a folder named ``fake``, ``forged`` or ``manipulated`` is labelled 1, with
    the next folder's name as the method; everything else is labelled 0. Without ``split``,
    about ``validation_share`` of the files go to the split ``val``, chosen by a hash of the
    file's name without its suffix, the ``source_id``: always the same ones, and a forgery that
    bears the name of its real video stays with it.

    Args:
        path: the folder.
        split: gives all rows this split instead of dividing them.
        validation_share: share of the sources that validate.

    Raises:
        DataError: if the folder does not exist or holds no media.
    """
    root = Path(path)
    if not root.is_dir():
        raise DataError(
            f"Cannot read data from '{root}': it is not a folder. "
            "Give a folder with media files, fake ones below 'fake/'."
        )
    rows = []
    for file in sorted(root.rglob("*")):
        # A leading dot: what macOS leaves beside every file it copies bears that file's name.
        is_media = file.suffix.lower() in MEDIA_SUFFIXES and not file.name.startswith(".")
        if not is_media or not file.is_file():
            continue
        parts = file.relative_to(root).parts[:-1]
        fake_at = next((i for i, part in enumerate(parts) if part.lower() in _FAKE_FOLDERS), None)
        method = "" if fake_at is None else "/".join(parts[fake_at + 1 :]) or "forged"
        rows.append(
            LabelledVideo(
                path=file,
                label=int(fake_at is not None),
                dataset=root.name,
                split=split or _split_of(file.stem, validation_share),
                method=method,
                source_id=file.stem,
            )
        )
    if not rows:
        raise DataError(
            f"No media in '{root}': expected videos or pictures "
            f"({', '.join(sorted(MEDIA_SUFFIXES))}). Check the path."
        )
    return rows


def _split_of(source_id: str, validation_share: float) -> str:
    number = int.from_bytes(hashlib.sha256(source_id.encode()).digest()[:4], "big") / 2**32
    return "val" if number < validation_share else "train"


ADAPTERS = (
    Adapter(
        name="folder",
        title="Any folder: real/… and fake/<method>/…",
        paper="",
        url="",
        license="your own",
        obtain="Put forged media below 'fake/<method>/', everything else is taken for real.",
        layout="media files, fake ones below 'fake/'",
        read=lambda root: Found(read_folder(root)),
    ),
)
