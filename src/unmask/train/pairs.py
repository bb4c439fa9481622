"""Training samples made on the fly: what a loader asks for by number, it gets by that number.

Every number seeds its own random draw, so a run that was killed goes on with the very samples
it would have had, on any number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from unmask.blending import Augmentation, Face, Pair, augment_pair, self_blend
from unmask.clips import cut_face
from unmask.errors import DataError, UsageError
from unmask.train.gather import Sample
from unmask.types import FaceObservation, FacePatch, Floats, InputSpec, Pixels

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""pixels (2, 1, H, W, C) uint8, label (2,), mask (2, 1, H, W), pair (2,)."""

_SHARED = Augmentation()
_NONE = Augmentation(light=0, resize=0, blur=0, noise=0, codec_shares=(1, 0, 0))
_STRONG = Augmentation(
    light=0.7,
    resize=0.65,
    resize_share=(0.35, 1.6),
    blur=0.3,
    noise=0.3,
    codec_shares=(0.15, 0.3, 0.55),
    h264_crf=(18, 42),
)
AUGMENTATIONS = {"shared": _SHARED, "strong": _STRONG, "none": _NONE}


class Pairs(Dataset[Batch]):
    """Pairs of a real face and a forged one.

    With ``synthesize`` the forged one is made of the real one; without, a random forgery of the
    data stands beside a random real face, and the mask is all 1.

    Args:
        samples: stored faces.
        spec: the detector's input.
        count: samples in an epoch that the loader may number; any number works.
        seed: of everything random.
        synthesize: ``self_blend`` or None.
        augment: ``shared``, ``none``, or an augmentation of one's own.
        region: where to forge; None draws it for every pair.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        spec: InputSpec,
        count: int,
        seed: int,
        *,
        synthesize: str | None,
        augment: str | Augmentation | None,
        region: str | None = None,
    ) -> None:
        self._samples = list(samples)
        self._spec, self._count, self._seed = spec, count, seed
        self._settings, self._region = _augmentation(augment), region
        if spec.frames != 1:
            raise UsageError("Training on clips of several frames is not built yet (issue 3).")
        if synthesize not in (None, "self_blend"):
            raise UsageError(f"Unknown synthesize={synthesize!r}. Known: self_blend.")
        self._is_synthetic = synthesize is not None
        self._real = _by_file(samples, 0)
        self._fake = _by_file(samples, 1)
        if not self._real or not (self._is_synthetic or self._fake):
            raise DataError(
                f"The data hold {len(self._real)} real and {len(self._fake)} forged files with "
                "faces; both are needed. Put forged files below 'fake/', or train with "
                "--set synthesize=self_blend."
            )

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng([self._seed, number])
        sample = self._draw(self._real, rng)
        face = _working_size(sample, rng)
        if self._is_synthetic:
            pair = augment_pair(
                self_blend(
                    face, rng, other=self._other_moment(sample, face, rng), region=self._region
                ),
                rng,
                self._settings,
            )
            faces = [(pair.real, face), (pair.fake, face)]
            masks = [np.zeros_like(pair.mask), pair.mask]
        else:
            forged = _working_size(self._draw(self._fake, rng), rng)
            faces, masks = [], []
            for label, one in enumerate((face, forged)):
                flat = Pair(
                    one.pixels, one.pixels, np.full(one.pixels.shape[:2], label, np.float32)
                )
                flat = augment_pair(flat, rng, self._settings)
                faces.append((flat.real, one))
                masks.append(flat.mask)
        box_seed = int(rng.integers(2**32))
        cuts = [
            _cut(pixels, mask, one, self._spec, np.random.default_rng(box_seed))
            for (pixels, one), mask in zip(faces, masks, strict=True)
        ]
        if self._settings is not _NONE and rng.random() < 0.5:
            cuts = [(picture[:, ::-1], mask[:, ::-1]) for picture, mask in cuts]
        return (
            torch.from_numpy(np.stack([c[0] for c in cuts])[:, None]),
            torch.tensor([0.0, 1.0]),
            torch.from_numpy(np.stack([c[1] for c in cuts])[:, None]),
            torch.tensor([number, number]),
        )

    def _draw(self, files: list[list[int]], rng: np.random.Generator) -> Sample:
        """A random face: a file first, so that long videos do not crowd out photographs.

        Files with several moments are drawn twelve times as often as single pictures.
        """
        weights = np.array([1.0 if len(file) == 1 else 12.0 for file in files])
        file = files[int(rng.choice(len(files), p=weights / weights.sum()))]
        return self._samples[file[int(rng.integers(len(file)))]]

    def _other_moment(self, sample: Sample, face: Face, rng: np.random.Generator) -> Face | None:
        """Sometimes: the same person at another time of the clip, at the face's working size."""
        if rng.random() > 0.3:
            return None
        same = [
            s
            for s in self._samples
            if s.group == sample.group and s.track == sample.track and s.time_s != sample.time_s
        ]
        if not same:
            return None
        other = same[int(rng.integers(len(same)))]
        share = _side(face.box_px) / _side(other.box_px)
        return _scaled(other, share)


def _augmentation(named: str | Augmentation | None) -> Augmentation:
    if isinstance(named, Augmentation):
        return named
    found = AUGMENTATIONS.get(named or "none")
    if found is None:
        raise UsageError(f"Unknown augment={named!r}. Known: {', '.join(AUGMENTATIONS)}.")
    return found


def _by_file(samples: Sequence[Sample], label: int) -> list[list[int]]:
    files: dict[int, list[int]] = {}
    for number, sample in enumerate(samples):
        if sample.label == label:
            files.setdefault(sample.group, []).append(number)
    return list(files.values())


def _side(box: Floats) -> float:
    return float(max(box[2] - box[0], box[3] - box[1]))


def _scaled(sample: Sample, share: float) -> Face:
    if abs(share - 1) < 0.02:
        return Face(sample.pixels, sample.landmarks_px, sample.box_px)
    height, width = sample.pixels.shape[:2]
    size = (max(16, round(width * share)), max(16, round(height * share)))
    how = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    pixels = np.asarray(cv2.resize(sample.pixels, size, interpolation=how), np.uint8)
    return Face(pixels, sample.landmarks_px * share, sample.box_px * share)


def _working_size(sample: Sample, rng: np.random.Generator) -> Face:
    """Half of the large faces are reduced before they are forged: forgeries come in all sizes."""
    side = _side(sample.box_px)
    if side < 110 or rng.random() < 0.5:
        return _scaled(sample, 1.0)
    return _scaled(sample, float(rng.uniform(90, side)) / side)


def _cut(
    pixels: Pixels, mask: Floats, face: Face, spec: InputSpec, rng: np.random.Generator
) -> tuple[Pixels, Floats]:
    """Cuts picture and mask through the house's one cutter, from a box that jitters."""
    height, width = pixels.shape[:2]
    share = width / face.pixels.shape[1]
    box = face.box_px * share
    side = _side(box)
    middle = (box[:2] + box[2:]) / 2 + rng.normal(0, 0.04, 2) * side
    half = (box[2:] - box[:2]) / 2 * np.exp(rng.normal(0, 0.06))
    observation = FaceObservation(
        track_id=0,
        frame_index=0,
        time_s=0.0,
        confidence=1.0,
        box_px=np.concatenate([middle - half, middle + half]).astype(np.float32),
        landmarks_px=face.landmarks_px * share,
    )
    whole = {"observation": observation, "origin_px": (0, 0), "frame_size_px": (width, height)}
    picture, _ = cut_face(FacePatch(pixels=pixels, **whole), spec)  # type: ignore[arg-type]
    gray = np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)
    sheet = np.repeat(gray[..., None], 3, axis=2)
    cut_mask, _ = cut_face(FacePatch(pixels=sheet, **whole), spec)  # type: ignore[arg-type]
    return picture, cut_mask[..., 0].astype(np.float32) / np.float32(255)
