"""The files that describe a tree: splits, ``minibench.json``, README.txt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from unmask._version import __version__
from unmask.errors import OutputError
from unmask.minibench.plan import Plan, Source
from unmask.minibench.settings import (
    COMPRESSIONS,
    FORMAT,
    KINDS,
    MAIN,
    ORIGINALS,
    OTHER,
    SENTENCE,
    Settings,
)

WHAT_IT_IS = (
    "A miniature benchmark in the layout of FaceForensics++, made by unmask from real videos "
    "alone. Every forgery is made of its own clip: no pixel comes from another person."
)
WHAT_IT_IS_NOT = (
    "No deepfakes of any tool are in it, its people are few, and who built it chose them. "
    "A value measured here does not show how well a detector finds forgeries elsewhere."
)

_README = """\
{what}

{sentence}
{what_not}

original_sequences/{originals}/COMPRESSION/videos/NAME.mp4            real
manipulated_sequences/KIND/COMPRESSION/videos/NAME_NAME.mp4   forged from the real video NAME
manipulated_sequences/KIND/masks/videos/NAME_NAME.mp4         white where it was forged
splits/train.json, val.json, test.json                        names; nobody stands in two
minibench.json                                                sources, settings, counts
{more}
KIND: {kinds}.
COMPRESSION: {compressions} (H.264 at that rate factor; real and forged alike).

Read it with: unmask datasets check {dataset} DIR
"""


def write_descriptions(root: Path, part: str, plan: Plan, settings: Settings) -> None:
    """Writes all files that describe a tree; ``minibench.json`` last.

    Raises:
        OutputError: a file cannot be written.
    """
    sources = [s for s in plan.sources if s.part == part]
    try:
        (root / "splits").mkdir(parents=True, exist_ok=True)
        for split in ("train", "val", "test"):
            names = [[s.name, s.name] for s in sources if s.split == split]
            _write_json(root / "splits" / f"{split}.json", names)
        (root / "README.txt").write_text(_readme(part, bool(settings.other)), encoding="utf-8")
        _write_json(root / "minibench.json", _content(part, sources, plan.skipped, settings))
    except OSError as error:
        raise OutputError(
            f"Cannot write below '{root}': {error.strerror}. Check the free space and the rights."
        ) from error


def dataset_of(part: str) -> str:
    """The name that ``unmask datasets`` knows a part by."""
    return "minibench" if part == MAIN else "minibench_other"


def _write_json(path: Path, content: object) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def _readme(part: str, has_other: bool) -> str:
    more = ""
    if part == MAIN:
        more = f"{'sheet.jpg':<62}pictures of every kind\n"
    if part == MAIN and has_other:
        more += f"{OTHER + '/':<62}the same of other people, smaller, all of it test\n"
    return _README.format(
        what=WHAT_IT_IS,
        what_not=WHAT_IT_IS_NOT,
        sentence=SENTENCE,
        originals=ORIGINALS,
        more=more,
        kinds=", ".join(KINDS),
        compressions=", ".join(f"{name} (CRF {crf})" for name, crf in COMPRESSIONS.items()),
        dataset=dataset_of(part),
    )


def _content(
    part: str, sources: Sequence[Source], skipped: Mapping[str, str], settings: Settings
) -> dict[str, object]:
    per_source = len(COMPRESSIONS)
    return {
        "format": FORMAT,
        "unmask": __version__,
        "dataset": dataset_of(part),
        "part": part,
        "what": WHAT_IT_IS,
        "measures": SENTENCE,
        "what_it_is_not": WHAT_IT_IS_NOT,
        "settings": asdict(settings),
        "longest_side_px": settings.longest_px(part),
        "levels": {name: f"H.264 at CRF {crf}" for name, crf in COMPRESSIONS.items()},
        "families": list(KINDS),
        "counts": {
            "sources": len(sources),
            "people": len({s.person for s in sources}),
            "sources_per_split": dict(Counter(s.split for s in sources)),
            "real_videos": len(sources) * per_source,
            "forged_videos": len(sources) * per_source * len(KINDS),
            "masks": len(sources) * len(KINDS),
        },
        "sources": {s.name: _of_source(s) for s in sources},
        "skipped": dict(skipped) if part == MAIN else {},
    }


def _of_source(source: Source) -> dict[str, object]:
    content = asdict(source)
    del content["name"], content["part"]
    return {**content, **content.pop("stretch")}
