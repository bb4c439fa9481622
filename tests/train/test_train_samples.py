from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unmask.datasets import read_folder
from unmask.detectors import Output, Recipe, Target
from unmask.detectors.recipe import Sampling, Synthesis
from unmask.errors import DataError, UsageError
from unmask.prepare import FaceSequence, PrepareSpec, prepare
from unmask.train.augment import change_of
from unmask.train.clip import cut_clip, read_clip
from unmask.train.samples import Samples
from unmask.types import InputSpec

SPEC = InputSpec(size=(48, 48))


def loss(output: Output, target: Target) -> torch.Tensor:
    return output.logit.mean()


RECIPE = Recipe(
    loss=loss,
    sampling=Sampling(augment="shared", kind="pairs"),
    synthesis=Synthesis(kind="self_blend"),
)


@pytest.fixture(scope="module")
def stored(labelled_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> list[FaceSequence]:
    rows = read_folder(labelled_faces, split="train")
    return [*prepare(rows, tmp_path_factory.mktemp("samples") / "faces", PrepareSpec()).sequences]


def samples(
    stored: list[FaceSequence], spec: InputSpec = SPEC, seed: int = 0, **changes: object
) -> Samples:
    recipe = RECIPE.changed(changes)  # type: ignore[arg-type]
    return Samples(stored, spec, recipe, 10, seed)


def test_shapes_and_labels(stored: list[FaceSequence]):
    pixels, label, mask, pair, twin = samples(stored)[5]
    assert twin is None
    assert pixels.shape == (2, 1, 48, 48, 3)
    assert pixels.dtype == torch.uint8
    assert mask.shape == (2, 1, 48, 48)
    assert label.tolist() == [0, 1]
    assert pair.tolist() == [5, 5]
    assert mask[0].max() == 0
    assert 0.4 < mask[1].max() <= 1


def test_a_number_gives_the_same_pair_whatever_was_asked_before(stored: list[FaceSequence]):
    here, there = samples(stored), samples(stored)
    for number in (0, 1, 2):
        there[number]
    for a, b in zip(here[7][:4], there[7][:4], strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(here[7][0], here[8][0])
    assert not torch.equal(here[7][0], samples(stored, seed=1)[7][0])


def test_any_number_works_also_beyond_the_count(stored: list[FaceSequence]):
    data = samples(stored)
    assert len(data) == 10
    assert data[10_000_000][0].shape == (2, 1, 48, 48, 3)


def test_without_augmentation_the_pair_differs_under_the_mask_only(stored: list[FaceSequence]):
    data = samples(stored, augment=None)
    for number in range(20):
        pixels, _, mask, *_ = data[number]
        # Resizing spreads a difference by a pixel or two: stay that far from the mask.
        near = torch.nn.functional.max_pool2d(mask[1], 7, 1, 3)
        difference = (pixels[0].int() - pixels[1].int()).abs().amax(dim=-1)
        assert int(difference[near == 0].sum()) == 0
        assert int(difference.sum()) > 0


def test_both_of_a_pair_are_cut_and_flipped_alike(stored: list[FaceSequence]):
    data = samples(stored)
    for number in range(10):
        pixels, _, mask, *_ = data[number]
        real, fake = (p[0].float().numpy() for p in pixels)
        outside = mask[1, 0].numpy() < 0.02
        here = np.abs(real - fake)[outside].mean()
        turned = np.abs(real - fake[:, ::-1])[outside].mean()
        assert here < turned


def test_labelled_forgeries_are_taken_as_they_are(stored: list[FaceSequence]):
    data = samples(stored, synthesize=None, augment=None)
    for number in range(10):
        pixels, label, mask, *_ = data[number]
        assert label.tolist() == [0, 1]
        assert mask[0].max() == 0
        assert mask[1].min() == 1
        blue = pixels[:, 0].float().mean(dim=(1, 2))[:, 2] - pixels[:, 0].float().mean((1, 2))[:, 0]
        assert blue[1] > blue[0] + 20


def test_forgeries_in_the_data_do_not_become_real_faces_to_forge(stored: list[FaceSequence]):
    data = samples(stored, augment=None)
    tints = [data[n][0][0, 0].float().mean(dim=(0, 1)) for n in range(20)]
    assert max(float(t[2] - t[0]) for t in tints) < 10


def test_gray_specs_are_trained_in_gray(stored: list[FaceSequence]):
    spec = InputSpec(size=(48, 48), color="gray", mean=(0.5,), std=(0.5,))
    pixels, _, mask, *_ = samples(stored, spec=spec)[0]
    assert pixels.shape == (2, 1, 48, 48, 1)
    assert mask.shape == (2, 1, 48, 48)


def test_the_twin_of_a_forged_picture_is_forged_too(stored: list[FaceSequence]):
    data = samples(stored, twins=("c23", "c40"), augment=None)
    _, _, mask, _, twin = data[2]
    assert twin is not None
    changed = (twin[0].int() - twin[1].int()).abs().sum(dim=-1) > 0
    assert changed[mask[1] > 0.4].float().mean() > 0.2


def test_only_real_data_without_synthesis_is_told(stored: list[FaceSequence]):
    real = [s for s in stored if s.label == 0]
    with pytest.raises(DataError, match=r"3 real and 0 fake files.*--set synthesize=self_blend"):
        samples(real, synthesize=None)


def test_only_forged_data_is_told(stored: list[FaceSequence]):
    with pytest.raises(DataError, match="0 real and 3 fake files"):
        samples([s for s in stored if s.label == 1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"synthesize": "swap"}, r"Unknown synthesize='swap'. Known: self_blend, coarse_blend"),
        ({"augment": "rain"}, r"Unknown augment='rain'. Known: shared, strong, box"),
    ],
)
def test_what_cannot_be_made_is_told(
    stored: list[FaceSequence], changes: dict[str, object], message: str
):
    with pytest.raises(UsageError, match=message):
        samples(stored, **changes)


def test_real_clips_are_every_real_sequence_once_as_a_scan_cuts_it(stored: list[FaceSequence]):
    real = [s for s in stored if s.label == 0]
    assert len(real) == 3
    found = [clip.numpy() for clip in samples(stored, augment="strong").real_clips()]
    plain = change_of(None)
    rng = np.random.default_rng(0)
    wanted = [
        cut_clip(read_clip(s, 1, rng), SPEC, plain, rng, is_flipped=False).pixels for s in real
    ]
    for clip in wanted:
        assert sum(np.array_equal(clip, one) for one in found) == 1
    assert len(found) == 3
    again = [clip.numpy() for clip in samples(stored).real_clips()]
    assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))


def test_real_clips_come_in_an_order_of_the_seed(stored: list[FaceSequence]):
    orders = {
        tuple(float(clip.float().mean()) for clip in samples(stored, seed=seed).real_clips())
        for seed in range(8)
    }
    assert len(orders) > 1
    assert len({frozenset(order) for order in orders}) == 1
