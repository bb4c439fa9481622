"""The preview of the Deepfake Detection Challenge: 66 actors, two unnamed methods.

Checked against public readers of its ``dataset.json`` (the file itself is not public):
``{"method_A/TARGET/TARGET_C/SWAPPED_TARGET_C_001.mp4": {"label": "fake", "set": "train",
"target_id": …, "swapped_id": …, "augmentations": [], …}}``; real videos lie in
``original_videos/ACTOR/ACTOR_C_001.mp4``. Sets are ``train`` and ``test``, divided by actors. A
video's source is its actor and the letter of its scene.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unmask.datasets._adapter import Adapter, Found, read_json
from unmask.errors import DataError
from unmask.types import LabelledVideo

_EXPECTED = '{"PATH.mp4": {"label": "real" or "fake", "set": "train" or "test", "target_id": …}}'


def _read(root: Path) -> Found:
    path = root / "dataset.json"
    entries = read_json(path, _EXPECTED)
    if not isinstance(entries, dict):
        raise DataError(f"Cannot read '{path}': expected {_EXPECTED}. Fetch it again.")
    rows: list[LabelledVideo] = []
    missing: list[str] = []
    for name, entry in sorted(entries.items()):
        row = _row(root, name, entry)
        if row.path.is_file():
            rows.append(row)
        else:
            missing.append(name)
    return Found(rows, missing)


def _row(root: Path, name: str, entry: Any) -> LabelledVideo:
    is_good = isinstance(entry, dict) and entry.get("label") in ("real", "fake")
    if not is_good or entry.get("set") not in ("train", "val", "test"):
        raise DataError(
            f"Cannot read '{root / 'dataset.json'}', entry '{name}': expected {_EXPECTED}, "
            f"got {entry!r}. Fetch it again."
        )
    label = int(entry["label"] == "fake")
    words = Path(name).stem.split("_")
    # SWAPPED_TARGET_SCENE_001 and TARGET_SCENE_001: one name more where a face was swapped in.
    target = str(entry.get("target_id") or words[label if len(words) > 3 else 0])
    scene = words[words.index(target) + 1] if target in words[:-1] else ""
    people = [target, entry.get("swapped_id")]
    return LabelledVideo(
        path=root / name,
        label=label,
        dataset="dfdc_preview",
        split=entry["set"],
        method=name.partition("/")[0] if label else "",
        source_id=f"{target}_{scene}".rstrip("_"),
        subject=f"dfdc_preview/{target}",
        video_id=name.removesuffix(Path(name).suffix),
        identities=tuple(f"dfdc_preview/{person}" for person in people if person),
    )


ADAPTERS = (
    Adapter(
        name="dfdc_preview",
        title="Deepfake Detection Challenge, preview",
        paper="Dolhansky et al., The Deepfake Detection Challenge (DFDC) Preview Dataset, 2019",
        url="https://ai.meta.com/datasets/dfdc/",
        license="DFDC data set license: research on detection, after accepting its terms",
        obtain="Accept the terms at https://ai.meta.com/datasets/dfdc/ and unpack the preview set.",
        layout="'dataset.json', 'original_videos', 'method_A' and 'method_B'",
        read=_read,
        roots=("dataset.json",),
    ),
)
