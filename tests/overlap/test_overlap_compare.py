"""Hashes, moments and the comparison of many at once."""

from __future__ import annotations

import sys

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from unmask.errors import MissingDependencyError
from unmask.overlap import compare
from unmask.overlap.compare import hamming, near_pairs
from unmask.overlap.fingerprint import MOST_MOMENTS, Fingerprint, Mark, hashes, moments


def texture(seed: int, size: int = 128) -> np.ndarray:
    """A smooth gray picture that no other seed comes near to."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12), dtype=np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def random_file(rng: np.random.Generator, marks: int = 3, *, is_face: bool = False) -> Fingerprint:
    drawn = rng.integers(0, 2**63, (marks, 2, 4)).astype(np.uint64)
    made = tuple(Mark(float(i), is_face, *both) for i, both in enumerate(drawn))
    return Fingerprint(sha256="", marks=made)


def test_the_hash_is_that_of_the_library():
    gray = texture(1)
    theirs = imagehash.phash(Image.fromarray(gray), hash_size=16)
    ours, _ = hashes(gray)
    assert np.unpackbits(ours.view(np.uint8)).tolist() == theirs.hash.ravel().astype(int).tolist()


def test_the_second_hash_is_that_of_the_mirror_image():
    gray = texture(2)
    plain, mirrored = hashes(gray)
    again = hashes(np.ascontiguousarray(gray[:, ::-1]))
    assert again[0].tolist() == mirrored.tolist()
    assert again[1].tolist() == plain.tolist()
    assert hamming(plain[None], mirrored[None])[0, 0] > 60


def test_distances_are_those_of_the_library():
    a, b = texture(3), texture(4)
    theirs = imagehash.phash(Image.fromarray(a), 16) - imagehash.phash(Image.fromarray(b), 16)
    assert hamming(hashes(a)[0][None], hashes(b)[0][None]).tolist() == [[theirs]]


def test_without_the_library_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "imagehash", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[overlap\]'"):
        hashes(texture(1))


@given(st.floats(0, 100_000))
def test_moments_are_few_and_those_of_a_shorter_copy_are_among_a_finer_grid(duration_s):
    found = moments(duration_s)
    assert 1 <= len(found) <= MOST_MOMENTS
    assert found[0] == 0
    assert found[-1] <= duration_s
    shorter = moments(duration_s / 2)
    assert set(found[: len(found) // 2]) <= set(shorter)


def test_near_pairs_agree_with_comparing_one_by_one(monkeypatch):
    monkeypatch.setattr(compare, "_CHUNK", 5)
    rng = np.random.default_rng(0)
    files = [random_file(rng) for _ in range(12)]
    sides = [("train", "val", "test")[i % 3] for i in range(12)]
    limit = 118
    found = {(n.a, n.b): n for n in near_pairs(files, sides, limit, 0)}
    expected = {}
    for a in range(12):
        for b in range(12):
            if sides[a] < sides[b]:
                every = [
                    (int(hamming(one.bits[None], shown[None])[0, 0]), one.time_s)
                    for one in files[a].marks
                    for other in files[b].marks
                    for shown in (other.bits, other.mirrored)
                ]
                near = [(bits, time_s) for bits, time_s in every if bits <= limit]
                if near:
                    expected[a, b] = (min(near)[0], len({time_s for _, time_s in near}))
    assert expected
    assert {pair: (n.distance, n.moments) for pair, n in found.items()} == expected


def test_files_of_one_side_are_not_compared():
    file = random_file(np.random.default_rng(1))
    assert near_pairs([file, file], ["train", "train"], 256, 256) == []
    assert len(near_pairs([file, file], ["train", "val"], 0, 0)) == 1


def test_pictures_are_compared_with_pictures_and_faces_with_faces():
    frame = random_file(np.random.default_rng(2))
    face = random_file(np.random.default_rng(2), is_face=True)
    assert near_pairs([frame, face], ["train", "val"], 0, 0) == []
    (near,) = near_pairs([face, face], ["train", "val"], 0, 0)
    assert near.is_face


def test_the_nearest_pair_comes_first_and_says_if_it_is_mirrored():
    rng = np.random.default_rng(3)
    file = random_file(rng, 1)
    mark = file.marks[0]
    turned = Fingerprint(sha256="", marks=(Mark(7.0, False, mark.mirrored, mark.bits),))
    one_bit = Mark(2.0, False, mark.bits ^ np.array([1, 0, 0, 0], np.uint64), mark.mirrored)
    other = Fingerprint(sha256="", marks=(one_bit,))
    first, second = near_pairs([file, other, turned], ["a", "b", "b"], 10, 10)
    assert (first.b, first.distance, first.is_mirrored, first.b_s) == (2, 0, True, 7.0)
    assert (second.b, second.distance, second.is_mirrored, second.b_s) == (1, 1, False, 2.0)
