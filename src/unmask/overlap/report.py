"""What was compared, what was found, and what was not looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.overlap.people import People, Person
from unmask.types import LabelledVideo

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Two files on different sides that come near each other.

    Attributes:
        a, b: the files, on the two ``sides``.
        distance: bits of 256 in which the nearest hashes differ.
        is_face: whether those are of a face, else of the whole picture.
        is_mirrored: whether one of them is mirrored.
        a_s, b_s: when they are shown, in seconds from the file's start.
        moments: how many ``of`` the moments of ``a`` come near to any of ``b``.
        is_same_file: whether both files are the same byte for byte.
    """

    a: Path
    b: Path
    sides: tuple[str, str]
    distance: int
    is_face: bool
    is_mirrored: bool
    a_s: float
    b_s: float
    moments: int
    of: int
    is_same_file: bool

    def line(self) -> str:
        """The match for a person."""
        if self.is_same_file:
            how = "the same file"
        else:
            what = "face" if self.is_face else "picture"
            mirrored = ", mirrored" if self.is_mirrored else ""
            how = (
                f"{what} at {self.a_s:g} s and {self.b_s:g} s{mirrored}, {self.distance} bits "
                f"apart; {self.moments} of {self.of} moments"
            )
        return f"{self.sides[0]} '{self.a}' and {self.sides[1]} '{self.b}': {how}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapReport:
    """What ``find_overlap`` found.

    Attributes:
        sides: files on each side that could be read.
        pairs: number of pairs of files on different sides; all were compared.
        moments, faces: pictures and faces hashed.
        without_face: files of which whole pictures alone were compared.
        plain: files without a picture that could be hashed (black, one color): not compared.
        frame_limit, face_limit: in bits of 256.
        matches: the nearest first.
        clusters: groups of files that are connected by matches.
        people: persons on several sides, by name.
        unreadable: messages.
    """

    sides: dict[str, int]
    pairs: int
    moments: int
    faces: int
    without_face: int
    plain: tuple[Path, ...]
    frame_limit: int
    face_limit: int
    matches: tuple[Match, ...]
    clusters: tuple[tuple[Path, ...], ...]
    people: People
    unreadable: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found to cross. It says nothing of persons that nobody names."""
        return not self.matches and not self.people.shared

    def crossing(self, rows: Sequence[LabelledVideo], side: str) -> frozenset[Path]:
        """The files of a side that match, or share a person with, a file of another side."""
        own = {row.path for row in rows if row.split == side}
        found = {path for match in self.matches for path in (match.a, match.b)}
        found |= {path for person in self.people.shared for path in person.files}
        return frozenset(found & own)

    def lines(self) -> list[str]:
        """The report for a person."""
        sides = ", ".join(f"{side} {count:,}" for side, count in self.sides.items())
        lines = [
            f"compared: {_count(self.pairs, 'pair')} of files on different sides ({sides}) by "
            f"{_count(self.moments, 'picture')} and {_count(self.faces, 'face')}",
            f"near-duplicates: {_count(len(self.matches), 'pair')} in "
            f"{_count(len(self.clusters), 'group')} "
            f"(pictures within {self.frame_limit} bits of 256, faces within {self.face_limit})",
            *_shown([match.line() for match in self.matches]),
        ]
        lines += self._people_lines()
        if self.without_face:
            lines.append(f"without a face to compare: {_count(self.without_face, 'file')}")
        if self.plain:
            lines.append(f"not compared, of one color: {_listed(self.plain)}")
        lines += [f"not compared: {problem}" for problem in self.unreadable]
        lines.append("nothing crosses" if self.is_clean else "NOT clean")
        return lines

    def _people_lines(self) -> list[str]:
        people = self.people
        lines = [f"persons on several sides: {len(people.shared):,}"]
        lines += _shown([_person_line(person) for person in people.shared])
        lines.append(
            f"persons were compared by name alone. Files that name theirs: {people.named:,}; that "
            f"do not: {people.unnamed:,}, and who is in two of those is NOT checked"
        )
        if people.words:
            lines.append("words in file names on several sides, to look at:")
            lines += _shown([_person_line(word) for word in people.words])
        return lines


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _person_line(person: Person) -> str:
    return f"{person.name} ({' and '.join(person.sides)}): {_listed(person.files)}"


def _listed(files: Sequence[Path], most: int = 4) -> str:
    rest = len(files) - most
    shown = ", ".join(f"'{file}'" for file in files[:most])
    return shown + (f" and {rest:,} more" if rest > 0 else "")


def _shown(lines: Sequence[str]) -> list[str]:
    rest = len(lines) - _MOST_SHOWN
    lines = [f"  {line}" for line in lines[:_MOST_SHOWN]]
    return [*lines, f"  … and {rest:,} more; --json has all"] if rest > 0 else lines
