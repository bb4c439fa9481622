"""Hashes -> pairs of files on different sides that show nearly the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.overlap.fingerprint import Fingerprint, Hashes

# 2048 x 2048 distances at a time: some 50 MB, however many files there are.
_CHUNK: Final = 2048


@dataclass(slots=True)
class Near:
    """Two files, by number, and their nearest moments.

    ``moments`` counts the moments of ``a`` that come near to any of ``b``.
    """

    a: int
    b: int
    distance: int
    is_face: bool
    is_mirrored: bool
    a_s: float
    b_s: float
    moments: int = 0


class _Table(NamedTuple):
    """Marks of one kind on one side; rows belong together."""

    bits: Hashes
    owners: NDArray[np.int64]
    times_s: NDArray[np.float64]


def hamming(a: Hashes, b: Hashes) -> NDArray[np.uint16]:
    """How many bits differ: (N, W) and (M, W) uint64 give (N, M) uint16."""
    found = np.zeros((len(a), len(b)), np.uint16)
    for word in range(a.shape[1]):
        found += np.bitwise_count(a[:, word, None] ^ b[None, :, word])
    return found


def near_pairs(
    files: Sequence[Fingerprint], sides: Sequence[str], frame_limit: int, face_limit: int
) -> list[Near]:
    """Pairs of files on different sides with a moment within the limit, the nearest first.

    Args:
        files: what was hashed.
        sides: for each file the side on which it stands; files of one side are not compared.
        frame_limit: most bits in which hashes of whole pictures may differ.
        face_limit: the same for faces.
    """
    found: dict[tuple[int, int], Near] = {}
    moments: dict[tuple[int, int], set[float]] = {}
    for is_face, limit in ((False, frame_limit), (True, face_limit)):
        tables = {side: _table(files, sides, side, is_face) for side in sorted(set(sides))}
        for first, second in combinations(tables.values(), 2):
            for near in _hits(first, second, is_face, limit):
                pair = near.a, near.b
                moments.setdefault(pair, set()).add(near.a_s)
                best = found.setdefault(pair, near)
                if near.distance < best.distance:
                    found[pair] = near
    for pair, near in found.items():
        near.moments = len(moments[pair])
    return sorted(found.values(), key=lambda near: (near.distance, near.a, near.b))


def _table(
    files: Sequence[Fingerprint], sides: Sequence[str], side: str, is_face: bool
) -> tuple[_Table, _Table]:
    """The marks as they are, and mirrored."""
    rows = [
        (mark, number)
        for number, (file, its) in enumerate(zip(files, sides, strict=True))
        for mark in file.marks
        if its == side and mark.is_face == is_face
    ]
    owners = np.array([number for _, number in rows], np.int64)
    times_s = np.array([mark.time_s for mark, _ in rows], np.float64)
    plain = [mark.bits for mark, _ in rows]
    mirrored = [mark.mirrored for mark, _ in rows]
    return (
        _Table(_stacked(plain), owners, times_s),
        _Table(_stacked(mirrored), owners, times_s),
    )


def _stacked(rows: list[Hashes]) -> Hashes:
    return np.stack(rows) if rows else np.zeros((0, 1), np.uint64)


def _hits(
    first: tuple[_Table, _Table], second: tuple[_Table, _Table], is_face: bool, limit: int
) -> Iterator[Near]:
    """The nearest moment for every moment of ``first`` and file of ``second`` within the limit."""
    table = first[0]
    for against, is_mirrored in ((second[0], False), (second[1], True)):
        for i in range(0, len(table.bits), _CHUNK):
            for j in range(0, len(against.bits), _CHUNK):
                distances = hamming(table.bits[i : i + _CHUNK], against.bits[j : j + _CHUNK])
                rows, columns = np.nonzero(distances <= limit)
                far = distances[rows, columns]
                rows, columns = rows + i, columns + j
                # Distances in ascending order: unique() gives the first, so the nearest, of each.
                order = np.argsort(far, kind="stable")
                pairs = np.stack([rows, against.owners[columns]])[:, order]
                _, firsts = np.unique(pairs, axis=1, return_index=True)
                for at in order[firsts]:
                    row, column = rows[at], columns[at]
                    yield Near(
                        a=int(table.owners[row]),
                        b=int(against.owners[column]),
                        distance=int(far[at]),
                        is_face=is_face,
                        is_mirrored=is_mirrored,
                        a_s=float(table.times_s[row]),
                        b_s=float(against.times_s[column]),
                    )
