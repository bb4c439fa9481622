"""The pictures that runs are judged on; nothing of them trains, and no material makes them alike.

*Videos*: all of the media pack's ``val``, as they are, and delivered alike (faces of at most 112
px, H.264 at CRF 30). *Pairs*: real clips of ``val`` beside forgeries of them, raw and both coded
by H.264 at CRF 32 and 40. ``mesh_swap`` and ``decoded`` are ways that no material holds.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator

from benchmarks.compare_recipes._draws import MASK_STRIDE, Bytes, spec_of
from benchmarks.compare_recipes._hulls import hull_mask
from unmask.forgeries import FaceClip, ForgedFrame, Forgery, Material, forge
from unmask.forgeries.clip import forgery_of
from unmask.forgeries.kinds.cross_blend import landmark_distances, transfer_color
from unmask.imaging.codecs import h264_round_trip
from unmask.prepare import FaceSequence, read_prepared
from unmask.train.augment import change_of
from unmask.train.clip import cut_clip, scaled
from unmask.types import Floats, Pixels

MAKERS: Final = ("self_blend", "mesh_swap", "lower_face", "decoded", "cross_blend")
RATES: Final = ("raw", "crf32", "crf40")
_VIDEO_PLACES: Final = (0, 3)
_PAIR_PLACES: Final = (1, 4)
_ALIKE_PX, _ALIKE_CRF = 112.0, 30
_SEED: Final = 17
_PEOPLE, _CLIPS = 2, 2
"""Of a real file, at most so many people, and of each so many clips."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """``videos`` (N, S, S, 3) and ``pairs`` (P, 2, S, S, 3) with a row of what each is;
    ``masks`` (P, S / 4, S / 4) of the forged ones, 255 = forged.
    """

    videos: Bytes
    pairs: Bytes
    masks: Bytes
    video_rows: list[Row]
    pair_rows: list[Row]


def judged(work: Path, size: int, say: Callable[[str], None]) -> Judged:
    """Opens what is judged at an input size, after making it if it is not there."""
    folder = work / "judged"
    rows = folder / f"rows-{size}.json"
    names = ("videos", "pairs", "masks")
    if not rows.is_file():
        folder.mkdir(exist_ok=True)
        videos, pairs = _Cuts(size), _Cuts(size)
        sequences = read_prepared(work / "faces_val").sequences
        with np.load(work / "mesh_val.npz") as arrays:
            points, starts = arrays["points"], arrays["starts"]
        meshes = [points[starts[n] : starts[n + 1]] for n in range(len(sequences))]
        for sequence in sequences:
            _add_videos(videos, sequence)
        say(f"judged videos: {len(videos.rows)} pictures")
        for case in _cases(sequences, meshes):
            _add_pairs(pairs, case)
        say(f"judged pairs: {len(pairs.rows)}")
        shape = (-1, 2, size, size, 3)
        arrays = (videos.pixels(), pairs.pixels().reshape(shape), pairs.masks()[1::2])
        for name, array in zip(names, arrays, strict=True):
            np.save(folder / f"{name}-{size}.npy", array)
        rows.write_text(json.dumps({"videos": videos.rows, "pairs": pairs.rows[1::2]}))
    told = json.loads(rows.read_text())
    parts = (np.load(folder / f"{name}-{size}.npy", mmap_mode="r") for name in names)
    return Judged(*parts, told["videos"], told["pairs"])


class _Cuts:
    """Faces cut for a network one after the other, with a row for each."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._pixels: list[Bytes] = []
        self._masks: list[Bytes] = []
        self.rows: list[Row] = []

    def add(self, clip: FaceClip, row: Row) -> None:
        rng = np.random.default_rng(0)
        cut = cut_clip(clip, spec_of(self._size), change_of(None), rng, is_flipped=False)
        side = self._size // MASK_STRIDE
        for pixels, mask in zip(cut.pixels, cut.mask, strict=True):
            small = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
            self._pixels.append(pixels)
            self._masks.append(np.rint(small * 255).astype(np.uint8))
            self.rows.append(row)

    def pixels(self) -> Bytes:
        return np.stack(self._pixels)

    def masks(self) -> Bytes:
        return np.stack(self._masks)


def _add_videos(cuts: _Cuts, sequence: FaceSequence) -> None:
    clip = _clip_of(sequence)
    small = scaled(clip, min(1.0, _ALIKE_PX / clip.side_px))
    alike = dataclasses.replace(small, frames=h264_round_trip(small.frames, _ALIKE_CRF))
    video = sequence.video
    row = {"path": Path(video.path).name, "source": video.source_id, "tool": video.method}
    row |= {"label": video.label, "track": sequence.track}
    for delivery, one in (("as is", clip), ("alike", alike)):
        cuts.add(_at(one, _VIDEO_PLACES), {**row, "delivery": delivery})


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """A real clip with its points (T, 468, 2), a donor of like landmarks, another moment."""

    number: int
    row: Row
    clip: FaceClip
    mesh: Floats
    donor: FaceClip
    donor_mesh: Floats
    moment: FaceClip | None


def _cases(sequences: Sequence[FaceSequence], meshes: Sequence[Floats]) -> Iterable[_Case]:
    people: dict[int, dict[int, list[int]]] = {}
    reals = [n for n, sequence in enumerate(sequences) if not sequence.label]
    for number in reals:
        sequence = sequences[number]
        people.setdefault(sequence.group, {}).setdefault(sequence.track, []).append(number)
    landmarks = np.stack([sequence.landmarks_px[0] for sequence in sequences])
    chosen = [track for file in people.values() for track in list(file.values())[:_PEOPLE]]
    for track in chosen:
        for number in track[:: max(1, len(track) // _CLIPS)][:_CLIPS]:
            sequence, clip = sequences[number], _clip_of(sequences[number])
            long = [n for n in reals if len(sequences[n]) >= len(sequence)]
            source = sequence.video.source_id
            others = [n for n in long if sequences[n].video.source_id != source]
            like = others[int(landmark_distances(landmarks[number], landmarks[others]).argmin())]
            donor = _clip_of(sequences[like])
            resized = scaled(donor, clip.side_px / donor.side_px)
            share = np.float32(resized.side_px / donor.side_px)
            same = [n for n in track if n != number and n in long]
            moment = _clip_of(sequences[same[0]]) if same else None
            yield _Case(
                number=number,
                row={"source": source, "path": Path(sequence.video.path).name, "clip": number},
                clip=clip,
                mesh=meshes[number],
                donor=resized,
                donor_mesh=meshes[like] * share,
                moment=moment and scaled(moment, clip.side_px / moment.side_px),
            )


def _add_pairs(cuts: _Cuts, case: _Case) -> None:
    for at, maker in enumerate(MAKERS):
        forgery = _forged(case, maker, np.random.default_rng([_SEED, case.number, at]))
        for rate in RATES:
            row = {**case.row, "maker": maker, "rate": rate}
            both = [*forgery]
            if rate != "raw":
                crf = int(rate.removeprefix("crf"))
                both = [
                    dataclasses.replace(one, frames=h264_round_trip(one.frames, crf))
                    for one in both
                ]
            for place in _PAIR_PLACES:
                for one in both:
                    cuts.add(_at(one, (place,)), row)


def _forged(case: _Case, maker: str, rng: np.random.Generator) -> Forgery:
    if maker == "mesh_swap":
        return mesh_swap(case.clip, case.mesh, case.donor, case.donor_mesh, rng)
    places = range(len(case.clip))
    material = Material(
        moment=_at(case.moment, places) if case.moment and maker == "lower_face" else None,
        person=_at(case.donor, places) if maker == "cross_blend" else None,
    )
    return forge(maker, case.clip, rng, material)


def mesh_swap(
    clip: FaceClip,
    mesh: Floats,
    donor: FaceClip,
    donor_mesh: Floats,
    rng: np.random.Generator,
) -> Forgery:
    """Another person's face, warped point by point onto this one, its color matched.

    As the graphics-based tool FaceSwap does; half of the clips are blended by Poisson's equation.

    Args:
        clip: T frames.
        mesh: (T, 468, 2) in them.
        donor: at least T frames.
        donor_mesh: as many points in them.
        rng: source of all randomness.
    """
    is_poisson, reach = rng.random() < 0.5, float(rng.uniform(0.01, 0.05))
    frames = []
    for number, pixels in enumerate(clip.frames):
        warped, hull = _warped(pixels, mesh[number], donor.frames[number], donor_mesh[number])
        side = max(1.0, reach * float(np.ptp(mesh[number][:, 0])))
        core = cv2.erode(hull, np.ones((3, 3), np.uint8), iterations=max(1, round(2 * side)))
        core = np.asarray(core if core.max() > 0.5 else hull, np.float32)
        changed = transfer_color(warped, pixels, core)
        weight = core
        if is_poisson:
            inside = np.where(core > 0.5, 255, 0).astype(np.uint8)
            rows, columns = np.nonzero(inside)
            center = tuple(int((v.min() + v.max()) // 2) for v in (columns, rows))
            fake = cv2.seamlessClone(changed, pixels, inside, center, cv2.NORMAL_CLONE)
        else:
            weight = np.asarray(cv2.GaussianBlur(core, (0, 0), side), np.float32)
            share = weight[..., None]
            fake = np.rint(share * changed + (1 - share) * pixels.astype(np.float32))
        fake = np.asarray(np.clip(fake, 0, 255), np.uint8)
        frames.append(ForgedFrame(pixels, fake, weight))
    return forgery_of(clip, frames)


def _warped(
    pixels: Pixels, mesh: Floats, other: Pixels, other_mesh: Floats
) -> tuple[Pixels, Floats]:
    """The picture with the other's face in place of its own, and the face's hull (H, W)."""
    hull = hull_mask(mesh, (pixels.shape[0], pixels.shape[1]), "no_forehead")
    rows, columns = np.nonzero(hull > 0)
    x, y = slice(columns.min(), columns.max() + 1), slice(rows.min(), rows.max() + 1)
    grid = np.stack(np.meshgrid(np.arange(x.start, x.stop), np.arange(y.start, y.stop)), -1)
    found = LinearNDInterpolator(mesh, other_mesh)(grid.reshape(-1, 2))
    where = found.reshape(grid.shape).astype(np.float32)
    is_known = ~np.isnan(where[..., 0])
    where = np.nan_to_num(where, nan=-1)
    patch = cv2.remap(
        other, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    changed = pixels.copy()
    changed[y, x][is_known] = patch[is_known]
    return changed, hull


def _clip_of(sequence: FaceSequence) -> FaceClip:
    return FaceClip(
        frames=sequence.pixels(range(len(sequence))),
        landmarks_px=sequence.landmarks_px,
        box_px=sequence.box_px,
        label=sequence.label,
    )


def _at(clip: FaceClip, places: Sequence[int]) -> FaceClip:
    """Some of the clip's frames; places beyond its end are left out."""
    kept = [place for place in places if place < len(clip.frames)]
    return dataclasses.replace(
        clip,
        frames=[clip.frames[place] for place in kept],
        masks=clip.masks and [clip.masks[place] for place in kept],
        landmarks_px=clip.landmarks_px[kept],
        box_px=clip.box_px[kept],
    )
