"""A recipe that mixes kinds of forgery and codecs."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from unmask.datasets import read_folder
from unmask.detectors import Card, Output, Recipe, Target
from unmask.detectors.recipe import Sampling, Synthesis
from unmask.errors import DataError, MissingDependencyError, UnknownNameError, UsageError
from unmask.forgeries import KINDS
from unmask.prepare import FaceSequence, PrepareSpec, prepare
from unmask.train import apply_settings
from unmask.train.clip import read_clip
from unmask.train.mix import People, Shares, check_mix
from unmask.train.run import check_network
from unmask.train.samples import Samples
from unmask.train.settings import describe
from unmask.types import InputSpec, Pixels

SPEC = InputSpec(size=(48, 48))
CLIPS = InputSpec(size=(32, 32), frames=8)
STILL = [name for name, kind in KINDS.items() if kind.least_frames == 1]


def loss(output: Output, target: Target) -> torch.Tensor:
    return output.logit.mean()


RECIPE = Recipe(
    loss=loss,
    sampling=Sampling(augment=None, kind="pairs"),
    synthesis=Synthesis(kind="self_blend"),
)


@pytest.fixture(scope="module")
def stored(labelled_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> list[FaceSequence]:
    """Three real faces, of which nothing says that they are of one person, and forged ones."""
    rows = read_folder(labelled_faces, split="train")
    return [*prepare(rows, tmp_path_factory.mktemp("mixed") / "faces", PrepareSpec()).sequences]


@pytest.fixture(scope="module")
def filmed(
    tmp_path_factory: pytest.TempPathFactory,
    encode: Callable[..., Path],
    faces: Callable[..., list[Pixels]],
) -> list[FaceSequence]:
    """Two videos."""
    folder = tmp_path_factory.mktemp("filmed")
    for name in ("a", "b"):
        encode(folder / f"{name}.mp4", faces(20, 200))
    return [*prepare(read_folder(folder), folder / "faces", PrepareSpec(frames=8)).sequences]


def samples(
    stored: list[FaceSequence], spec: InputSpec = SPEC, seed: int = 0, **changes: object
) -> Samples:
    recipe = RECIPE.changed(changes)  # type: ignore[arg-type]
    return Samples(stored, spec, recipe, 10, seed)


@pytest.mark.parametrize("kind", STILL)
def test_pictures_are_forged_by_the_kind_that_the_recipe_names(
    stored: list[FaceSequence], kind: str
):
    pixels, label, mask, *_ = samples(stored, mix={kind: 1})[3]
    assert label.tolist() == [0, 1]
    assert pixels.shape == (2, 1, 48, 48, 3)
    assert mask[0].max() == 0
    assert (mask[1].min() == 1) == kind.endswith("_everywhere")
    assert not torch.equal(pixels[0], pixels[1])


@pytest.mark.parametrize(
    "kind",
    # A network is fitted for each clip; the tests of forgeries run it by default.
    [pytest.param(k, marks=pytest.mark.slow if k == "re_rendering" else ()) for k in KINDS],
)
def test_clips_are_forged_by_any_kind(filmed: list[FaceSequence], kind: str):
    pixels, _, mask, *_ = samples(filmed, CLIPS, mix={kind: 1.0})[1]
    assert pixels.shape == (2, 8, 32, 32, 3)
    assert mask.shape == (2, 8, 32, 32)
    assert mask[0].max() == 0
    assert mask[1].max() > 0.3
    assert not torch.equal(pixels[0], pixels[1])


def test_a_number_gives_the_same_pair_whatever_was_asked_before(stored: list[FaceSequence]):
    settings = {"mix": {"cross_blend": 1, "lower_face": 1}, "codecs": {"jpeg": 1, "h264": 1}}
    here, there = samples(stored, **settings), samples(stored, **settings)
    for number in (0, 1, 2):
        there[number]
    for a, b in zip(here[7][:4], there[7][:4], strict=True):
        assert torch.equal(a, b)


def test_kinds_are_drawn_by_their_shares():
    shares = Shares(("a", "b", "c"), (0.5, 0.5, 0.0))
    drawn = Counter(shares.draw(np.random.default_rng(seed)) for seed in range(200))
    assert set(drawn) == {"a", "b"}
    assert 70 < drawn["a"] < 130


def test_a_kind_of_share_0_is_never_made(stored: list[FaceSequence]):
    data = samples(stored, mix={"resampling_grid_everywhere": 2, "smooth_skin": 0})
    assert all(data[n].mask[1].min() == 1 for n in range(12))


def test_empty_shares_change_no_draw(stored: list[FaceSequence]):
    plain, empty = samples(stored), samples(stored, mix={}, codecs={})
    for number in range(4):
        assert torch.equal(plain[number].pixels, empty[number].pixels)


def test_codecs_take_the_place_of_those_of_the_augmentation(stored: list[FaceSequence]):
    kind = {"resampling_grid_everywhere": 1.0}
    untouched = samples(stored, mix=kind)
    coded = samples(stored, mix=kind, codecs={"h264_twice": 1})
    same = samples(stored, mix=kind, codecs={"none": 1})
    for number in range(3):
        before, after = untouched[number].pixels.float(), coded[number].pixels.float()
        errors = (before - after).abs().mean(dim=(1, 2, 3, 4))
        assert errors.min() > 0.2  # both classes are coded
        assert torch.equal(same[number].pixels, untouched[number].pixels)


def test_clips_are_coded_as_clips(filmed: list[FaceSequence]):
    before = samples(filmed, CLIPS, mix={"flicker": 1})[0].pixels.float()
    after = samples(filmed, CLIPS, mix={"flicker": 1}, codecs={"uploaded": 1})[0].pixels.float()
    assert (before - after).abs().mean(dim=(1, 2, 3, 4)).min() > 0.2


def test_labelled_forgeries_are_coded_too(stored: list[FaceSequence]):
    plain, coded = (
        samples(stored, synthesize=None, codecs=codecs)[0].pixels
        for codecs in ({}, {"reposted": 1.0})
    )
    assert (plain.float() - coded.float()).abs().mean(dim=(1, 2, 3, 4)).min() > 0.2


def test_another_person_is_never_of_the_same_file_or_identity(stored: list[FaceSequence]):
    people = People(stored, 0)
    real = [s for s in stored if not s.label]
    for number in range(12):
        rng = np.random.default_rng(number)
        sequence = real[number % len(real)]
        found = people.like(sequence, read_clip(sequence, 1, rng), rng)
        assert found.group != sequence.group
        assert found.label == 0


def renamed(sequence: FaceSequence, **names: object) -> FaceSequence:
    video = dataclasses.replace(sequence.video, **names)  # type: ignore[arg-type]
    return dataclasses.replace(sequence, video=video)


@pytest.mark.parametrize("names", [{"identities": ("x",)}, {"source_id": "x"}, {"subject": "x"}])
def test_faces_that_share_a_name_are_one_person(
    stored: list[FaceSequence], names: dict[str, object]
):
    real = [s for s in stored if not s.label]
    same = [renamed(s, **names) for s in real]
    with pytest.raises(DataError, match=r"hold real faces of one person alone. Give more real"):
        samples(same, mix={"cross_blend": 1.0})
    people = People([*same[:2], real[2]], 0)
    rng = np.random.default_rng(0)
    assert people.like(same[0], read_clip(same[0], 1, rng), rng).group == real[2].group


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"mix": {"flikker": 1}}, UnknownNameError, "Did you mean 'flicker'.*Known: coarse_blend"),
        ({"mix": {"flicker": 1}}, UsageError, "flicker: it needs clips of at least 2 frames, this"),
        ({"mix": {"self_blend": -1}}, UsageError, "expected shares of 0 or more, not all 0"),
        ({"mix": {"self_blend": 0}}, UsageError, "expected shares of 0 or more, not all 0"),
        (
            {"mix": {"self_blend": 1}, "synthesize": None},
            UsageError,
            "Cannot mix kinds of forgery with synthesize=None: expected self_blend",
        ),
        ({"codecs": {"h256": 1}}, UnknownNameError, "Unknown codec 'h256'.*Known: none, jpeg, h26"),
        ({"codecs": {"jpeg": float("nan")}}, UsageError, "Cannot draw by codecs="),
        (
            {"codecs": {"jpeg": 1}, "twins": ("c23", "c40")},
            UsageError,
            "Cannot use codecs with twins=.*Leave one of the two out",
        ),
    ],
)
def test_what_cannot_be_mixed_is_refused(
    changes: dict[str, object], error: type[Exception], message: str
):
    with pytest.raises(error, match=message):
        check_mix(RECIPE.changed(changes), 1)  # type: ignore[arg-type]


def test_a_codec_that_cannot_be_encoded_is_refused(monkeypatch: pytest.MonkeyPatch):
    there = av.codecs_available - {"libvpx-vp9"}
    monkeypatch.setattr(av, "codecs_available", there)
    recipe = RECIPE.changed({"codecs": {"vp9": 0.5, "uploaded": 0.5}})
    message = "Cannot code by vp9: PyAV was built without libvpx-vp9. Leave it out of the codecs"
    with pytest.raises(MissingDependencyError, match=message):
        check_mix(recipe, 1)
    check_mix(RECIPE.changed({"codecs": {"uploaded": 1}}), 1)


def test_a_mix_is_set_checked_before_data_are_read_and_recorded(toy: Card):
    card = apply_settings(
        toy, ["mix={'self_blend': 0.5, 'cross_blend': 1}", "codecs={'jpeg': 1, 'h265': 2}"]
    )
    assert describe(card)["recipe"]["mix"] == {"self_blend": 0.5, "cross_blend": 1}
    assert describe(card)["recipe"]["codecs"] == {"jpeg": 1, "h265": 2}
    check_network(card, None)
    with pytest.raises(UnknownNameError, match="Unknown kind of forgery 'swap'"):
        check_network(apply_settings(toy, ["mix={'swap': 1}"]), None)
    with pytest.raises(UsageError, match="Cannot set mix="):
        apply_settings(toy, ["mix=cross_blend"])
