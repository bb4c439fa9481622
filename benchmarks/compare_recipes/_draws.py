"""Training pairs, drawn once for a material and kept as plain arrays, block by block.

So runs spend their time on training, and all runs of one material, size and seed see the very
same pictures in the same order.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.compare_recipes._material import (
    MATERIALS,
    NEEDS_ANYONE,
    NEEDS_PERSON,
    WAYS,
    Given,
    Mix,
    Subject,
    retouched,
)
from unmask.forgeries import FaceClip, ForgedFrame
from unmask.forgeries.clip import forgery_of
from unmask.forgeries.kinds.cross_blend import landmark_distances
from unmask.imaging.boxes import longest_side
from unmask.prepare import read_prepared
from unmask.train.augment import Change, change_of
from unmask.train.clip import augment_alike, cut_clip, deliver_alike, scaled, working_size
from unmask.train.mix import Shares
from unmask.types import InputSpec

MARGIN: Final = 1.35
MASK_STRIDE: Final = 4
BLOCK: Final = 3600
"""Pairs that are drawn and kept together, half a gigabyte at 160 px."""

_LOOKED_AT: Final = 120
"""Faces of other people among which the one with the nearest landmarks is taken."""

Bytes = NDArray[np.uint8]


def spec_of(size: int) -> InputSpec:
    """What a network of this input size sees of a face."""
    return InputSpec(region="face", margin=MARGIN, size=(size, size), frames=1)


class Faces:
    """Stored faces with their 468 points. Half of the draws are of clips, half of photographs."""

    def __init__(self, folder: Path, mesh: Path) -> None:
        self.sequences = read_prepared(folder).sequences
        with np.load(mesh) as arrays:
            self._mesh, self._starts = arrays["points"], arrays["starts"]
        files: dict[int, list[int]] = {}
        people: dict[tuple[int, int], list[int]] = {}
        for number, sequence in enumerate(self.sequences):
            files.setdefault(sequence.group, []).append(number)
            people.setdefault((sequence.group, sequence.track), []).append(number)
        self._clips = [file for file in files.values() if len(file) > 1]
        self._photos = [file for file in files.values() if len(file) == 1]
        self._people = people
        self._landmarks = np.stack([s.landmarks_px[0] for s in self.sequences])

    def clip(self, number: int) -> FaceClip:
        """The first frame of a sequence."""
        sequence = self.sequences[number]
        return FaceClip(
            frames=sequence.pixels([0]),
            landmarks_px=sequence.landmarks_px[:1],
            box_px=sequence.box_px[:1],
        )

    def subject(self, number: int, clip: FaceClip) -> Subject:
        """A clip of ``clip(number)``, in whatever size, with its points."""
        share = clip.side_px / longest_side(self.sequences[number].box_px[0])
        points = self._mesh[self._starts[number]] * np.float32(share)
        return Subject(clip.faces[0], points)

    def draw(self, rng: np.random.Generator) -> int:
        """Any face."""
        files = self._clips if rng.random() < 0.5 else self._photos
        file = files[int(rng.integers(len(files)))]
        return file[int(rng.integers(len(file)))]

    def moment(self, number: int, rng: np.random.Generator) -> int | None:
        """The same person at another time."""
        sequence = self.sequences[number]
        same = [n for n in self._people[sequence.group, sequence.track] if n != number]
        return same[int(rng.integers(len(same)))] if same else None

    def like(self, number: int, rng: np.random.Generator) -> int:
        """Somebody else, with like landmarks."""
        group = self.sequences[number].group
        some = rng.integers(len(self.sequences), size=_LOOKED_AT)
        others = [int(n) for n in some if self.sequences[int(n)].group != group]
        distances = landmark_distances(self._landmarks[number], self._landmarks[others])
        return others[int(distances.argmin())]


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """``pixels`` (N, 2, S, S, 3), real and forged; ``masks`` (N, S / 4, S / 4), 255 = forged;
    ``cpu_s`` that it took to draw them.
    """

    pixels: Bytes
    masks: Bytes
    cpu_s: float


def draws(work: Path, material: str, size: int, seed: int, block: int = 0) -> Draws:
    """Opens pairs ``BLOCK`` x ``block`` and on of a material, after making them if need be."""
    folder = _folder(work, material, size, seed, block)
    done = folder / "done.json"
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        faces = Faces(work / "faces_train", work / "mesh_train.npz")
        start = time.process_time()
        side = size // MASK_STRIDE
        shapes = {"pixels": (BLOCK, 2, size, size, 3), "masks": (BLOCK, side, side)}
        arrays = {
            name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, shape)
            for name, shape in shapes.items()
        }
        for at in range(BLOCK):
            number = block * BLOCK + at
            pixels, mask = draw_pair(faces, MATERIALS[material], size, seed, number)
            arrays["pixels"][at], arrays["masks"][at] = pixels, mask
        for array in arrays.values():
            array.flush()
        done.write_text(json.dumps({"cpu_s": time.process_time() - start}))
    return Draws(
        np.load(folder / "pixels.npy", mmap_mode="r"),
        np.load(folder / "masks.npy", mmap_mode="r"),
        float(json.loads(done.read_text())["cpu_s"]),
    )


def forget_draws(work: Path, material: str, size: int, seed: int, block: int) -> None:
    """Deletes a block but the first, which other runs share: long runs would fill the disk."""
    if block > 0:
        shutil.rmtree(_folder(work, material, size, seed, block), ignore_errors=True)


def _folder(work: Path, material: str, size: int, seed: int, block: int) -> Path:
    name = f"{material}-{size}-{seed}-{BLOCK}"
    return work / "draws" / (f"{name}-{block}" if block else name)


def draw_pair(faces: Faces, mix: Mix, size: int, seed: int, number: int) -> tuple[Bytes, Bytes]:
    """Pixels (2, S, S, 3), real and forged, and the forgery's mask (S / 4, S / 4)."""
    rng = np.random.default_rng([seed, number // 2 if mix.twins else number])
    change = change_of(mix.augment)
    at = faces.draw(rng)
    clip = working_size(faces.clip(at), rng)
    way = str(rng.choice(list(mix.ways), p=list(mix.ways.values())))
    moment = faces.moment(at, rng) if rng.random() < mix.moment else None
    given = Given(
        faces.subject(at, clip),
        _at_size(faces, moment, clip),
        _at_size(faces, faces.like(at, rng) if way in NEEDS_PERSON else None, clip),
        _at_size(faces, faces.draw(rng) if way in NEEDS_ANYONE else None, clip),
    )
    made = WAYS[way](given, rng)
    own = np.random.default_rng([seed, number, 1]) if mix.twins else rng
    return _cut(_changed(clip, made, mix, change, own), size, change, rng)


def _at_size(faces: Faces, number: int | None, clip: FaceClip) -> Subject | None:
    if number is None:
        return None
    found = faces.clip(number)
    return faces.subject(number, scaled(found, clip.side_px / found.side_px))


def _changed(
    clip: FaceClip, pair: ForgedFrame, mix: Mix, change: Change, rng: np.random.Generator
) -> Sequence[FaceClip]:
    """The real and the forged clip after one draw of augmentation and codec."""
    if mix.retouched and rng.random() < mix.retouched:
        seed = int(rng.integers(2**32))
        real, fake = (retouched(p, np.random.default_rng(seed)) for p in (pair.real, pair.fake))
        pair = ForgedFrame(real, fake, pair.mask)
    forgery = forgery_of(clip, [pair])
    if not mix.codecs:
        return augment_alike(forgery, rng, change.pixels)
    plain = dataclasses.replace(change.pixels, codec_shares=(1.0, 0.0, 0.0))
    both = augment_alike(forgery, rng, plain)
    shares = Shares(tuple(mix.codecs), tuple(mix.codecs.values()))
    return deliver_alike(both, shares.draw(rng), rng)


def _cut(
    clips: Sequence[FaceClip], size: int, change: Change, rng: np.random.Generator
) -> tuple[Bytes, Bytes]:
    seed, is_flipped = int(rng.integers(2**32)), rng.random() < 0.5
    cuts = [
        cut_clip(clip, spec_of(size), change, np.random.default_rng(seed), is_flipped=is_flipped)
        for clip in clips
    ]
    side = size // MASK_STRIDE
    mask = cv2.resize(cuts[1].mask[0], (side, side), interpolation=cv2.INTER_AREA)
    return np.stack([cut.pixels[0] for cut in cuts]), np.rint(mask * 255).astype(np.uint8)
