"""The miniature benchmark of ``unmask minibench build``, and its second, smaller tree.

Both are laid out as FaceForensics++ is, so its reader reads them; ``minibench.json`` says which of
the two a tree is and who is in each video. They measure machinery and trends, not field accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from unmask.datasets._adapter import Adapter, Found, read_json
from unmask.datasets.faceforensics import ADAPTERS as FACEFORENSICS
from unmask.errors import DataError
from unmask.types import LabelledVideo

_FILE = "minibench.json"
_OTHER = "other"
_EXPECTED = "a miniature benchmark's sources"


def _read(part: str, name: str, root: Path) -> Found:
    """One of the two trees; ``other`` is found in the first tree's folder too."""
    if part == _OTHER and (root / _OTHER / _FILE).is_file():
        root = root / _OTHER
    content = read_json(root / _FILE, _EXPECTED)
    people = _people(content)
    if not isinstance(content, dict) or people is None:
        raise DataError(
            f"Cannot read '{root / _FILE}': expected JSON with {_EXPECTED}. Build it again."
        )
    if content.get("part") != part:
        advice = (
            f"Give '{root.parent}', or read minibench_other."
            if part != _OTHER
            else "It was built with --other 0: build another one."
        )
        raise DataError(
            f"Cannot read {name} from '{root}': expected the part {part!r} of a miniature "
            f"benchmark, found {content.get('part')!r}. {advice}"
        )
    found = FACEFORENSICS[0].read(root)
    return Found([_row(row, name, people) for row in found.rows], found.missing, found.notes)


def _people(content: object) -> Mapping[str, str] | None:
    """Name of a source -> person; None if the file says nothing of the kind."""
    sources = content.get("sources") if isinstance(content, dict) else None
    if not isinstance(sources, dict):
        return None
    people = {}
    for name, source in sources.items():
        person = source.get("person") if isinstance(source, dict) else None
        if not isinstance(person, str):
            return None
        people[name] = person
    return people


def _row(row: LabelledVideo, name: str, people: Mapping[str, str]) -> LabelledVideo:
    """A row of FaceForensics++'s reader under this name; nobody but its own person is in it."""
    # Both trees share their people's names: who is in both would be noticed.
    person = f"minibench/{people.get(row.source_id, row.source_id)}"
    return replace(row, dataset=name, subject=person, identities=(person,))


def _adapter(part: str, name: str, title: str, roots: tuple[str, ...]) -> Adapter:
    return Adapter(
        name=name,
        title=f"{title}; it measures machinery and trends, not field accuracy",
        paper="",
        url="",
        license="that of the real videos it was built from",
        obtain="Build it: unmask minibench build VIDEOS -o DIR. The same command goes on with an "
        "unfinished build.",
        layout=f"'{_FILE}', 'original_sequences' and 'manipulated_sequences'",
        read=partial(_read, part, name),
        roots=roots,
    )


ADAPTERS = (
    _adapter("main", "minibench", "The miniature benchmark of pseudo-forgeries", (_FILE,)),
    _adapter(
        _OTHER,
        "minibench_other",
        "Its second tree: other people, smaller faces, all of it test",
        (f"{_OTHER}/{_FILE}", _FILE),
    ),
)
