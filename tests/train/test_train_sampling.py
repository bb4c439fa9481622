"""How the recipes draw: one clip of every video, balance, methods in turn, one draw for a clip."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from dataset_trees import encode
from unmask.datasets import read_folder
from unmask.detectors import Output, Recipe, Target, get_card
from unmask.detectors.recipe import Sampling
from unmask.prepare import FaceSequence, PrepareSpec, prepare
from unmask.train.augment import CHANGES
from unmask.train.data import Faces
from unmask.train.run import samples_for
from unmask.train.samples import Samples
from unmask.types import InputSpec, Pixels

SPEC = InputSpec(size=(40, 40), load_size=(48, 48), frames=4)


def loss(output: Output, target: Target) -> torch.Tensor:
    return output.logit.mean()


class Stub(SimpleNamespace):
    """Stands for stored faces where only whose and how many they are matters."""

    def __len__(self) -> int:
        return int(self.frames)


def stored(real: int, fake: int, lengths: Sequence[int] = (4, 4, 4)) -> list[FaceSequence]:
    """For each file sequences of these lengths."""
    return [
        Stub(
            frames=length,
            label=int(group >= real),
            group=group,
            track=0,
            video=SimpleNamespace(method="A" if group >= real else "", path=Path(f"{group}.mp4")),
            has_masks=False,
            has_twins=False,
        )
        for group in range(real + fake)
        for length in lengths
    ]  # type: ignore[return-value]


def visits(samples: Samples, epoch: int) -> Counter[int]:
    count = len(samples)
    return Counter(samples.group_of(n) for n in range(epoch * count, (epoch + 1) * count))


def forgery() -> list[FaceSequence]:
    (found,) = stored(0, 1, (4,))
    found.group = 99
    return [found]


def drawn(samples: Samples, count: int) -> Counter[int]:
    return Counter(samples.group_of(number) for number in range(count))


def test_a_video_is_drawn_alike_whether_one_sequence_or_more_are_stored_of_it():
    one, two = stored(1, 0, (4,)), stored(1, 0, (4, 4))
    for sequence in two:
        sequence.group = 1
    found = drawn(Samples([*one, *two, *forgery()], SPEC, Recipe(loss=loss), 1, 0), 400)
    assert found[0] / 400 == pytest.approx(0.5, abs=0.1)


def test_a_photograph_is_drawn_less_often_than_a_video():
    photograph, video = stored(1, 0, (1,)), stored(1, 0, (1, 1))
    photograph[0].video.path = Path("a.PNG")
    for sequence in video:
        sequence.group = 1
    spec = dataclasses.replace(SPEC, frames=1)
    faces = [*photograph, *video, *forgery()]
    found = drawn(Samples(faces, spec, Recipe(loss=loss), 1, 0), 400)
    assert 5 < found[0] < 70  # 1 of 13


def test_a_long_sequence_is_drawn_as_often_as_clips_begin_in_it():
    # 20 frames have 17 clips of 4, 4 frames have one.
    faces = [*stored(1, 0, (20, 4)), *forgery()]
    samples = Samples(faces, SPEC, Recipe(loss=loss), 1, 0)
    random = np.random.default_rng(0)
    lengths = Counter(len(samples._any_of([0, 1], random)) for _ in range(900))
    assert lengths[4] == pytest.approx(50, abs=25)


def test_every_face_of_the_validation_split_is_looked_at(monkeypatch: pytest.MonkeyPatch):
    faces = Faces((), {"train": stored(2, 4), "val": stored(3, 6, (4, 4))})
    card = get_card("r3d18")
    card = dataclasses.replace(card, recipe=Recipe(loss=loss), input=SPEC)
    _, checking = samples_for(card, faces)
    seen: list[FaceSequence] = []
    monkeypatch.setattr(checking, "_read", lambda sequence, rng: seen.append(sequence))
    for number in range(len(checking)):
        checking._clips(number, np.random.default_rng(0))
    assert len(checking) == 12  # fakes; each of the six real faces comes twice
    times = Counter(map(id, seen))
    assert len(times) == len(faces.by_split["val"])
    assert {times[id(s)] for s in faces.by_split["val"] if s.label} == {1}
    assert {times[id(s)] for s in faces.by_split["val"] if not s.label} == {2}
    few = dataclasses.replace(card, recipe=Recipe(loss=loss).changed({"validation_pairs": 5}))
    assert len(samples_for(few, faces)[1]) == 5


def test_a_stratified_epoch_visits_every_video_once():
    samples = Samples(
        stored(4, 6),
        SPEC,
        Recipe(
            loss=loss,
            sampling=Sampling(kind="stratified"),
        ),
        1,
        0,
    )
    assert samples.clips_per_item == 1
    assert visits(samples, 0) == visits(samples, 5) == dict.fromkeys(range(10), 1)
    orders = [[samples.group_of(n) for n in range(e * 10, e * 10 + 10)] for e in (0, 1)]
    assert orders[0] != orders[1]


def test_natural_videos_twice_and_every_other_forged_one_as_in_the_two_branch_paper():
    recipe = get_card("two_branch").recipe
    assert (recipe.sampling.kind, recipe.sampling.balance) == ("stratified", (2.0, 0.5))
    # One real video to four forged ones, as in FaceForensics++.
    samples = Samples(stored(5, 20), SPEC, recipe, 1, 0)
    first, second = visits(samples, 0), visits(samples, 1)
    for epoch in (first, second):
        assert [epoch[group] for group in range(5)] == [2] * 5
        assert sum(epoch.values()) == 20
    forged = [{group for group in epoch if group >= 5} for epoch in (first, second)]
    assert [len(groups) for groups in forged] == [10, 10]
    assert forged[0] | forged[1] == set(range(5, 25))


@pytest.fixture(scope="module")
def colored(
    tmp_path_factory: pytest.TempPathFactory, faces: Callable[..., list[Pixels]]
) -> list[FaceSequence]:
    """Many forgeries of method 0_red, one of 1_green, one of 2_blue, told apart by their color."""
    root = tmp_path_factory.mktemp("colored")
    (picture,) = faces(1, 200)
    for channel, (method, count) in enumerate({"0_red": 4, "1_green": 1, "2_blue": 1}.items()):
        tinted = picture.astype(int)
        tinted[..., channel] += 90
        for number in range(count):
            path = root / "data" / "fake" / method / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(tinted.clip(0, 255).astype(np.uint8)).save(path)
    (root / "data" / "real").mkdir()
    Image.fromarray(picture).save(root / "data" / "real" / "a.png")
    rows = read_folder(root / "data", split="train")
    return [*prepare(rows, root / "stored", PrepareSpec()).sequences]


def channel_of(samples: Samples, number: int) -> int:
    """Which color the forged one of a pair has more of than its real one."""
    item = samples[number]
    assert item.label.tolist() == [0, 1]
    means = item.pixels.float().mean(dim=(1, 2, 3))
    return int((means[1] - means[0]).argmax())


def test_pairs_take_one_method_after_the_other(colored: list[FaceSequence]):
    spec = dataclasses.replace(SPEC, frames=1)
    assert get_card("r3d18").recipe.sampling.cycle_methods
    cycling = Samples(
        colored,
        spec,
        Recipe(
            loss=loss,
            sampling=Sampling(cycle_methods=True),
        ),
        12,
        0,
    )
    assert [channel_of(cycling, n) for n in range(9)] == [0, 1, 2] * 3
    drawn = Samples(colored, spec, Recipe(loss=loss), 12, 0)
    red = [channel_of(drawn, n) for n in range(24)].count(0)
    assert 10 < red < 23  # four of six files


@pytest.fixture(scope="module")
def still(
    tmp_path_factory: pytest.TempPathFactory, faces: Callable[..., list[Pixels]]
) -> list[FaceSequence]:
    """A real and a forged video in which nothing moves."""
    root = tmp_path_factory.mktemp("still")
    real, fake = faces(2, 200)
    encode(root / "data" / "real" / "a.mp4", [real] * 6, 0)
    encode(root / "data" / "fake" / "b.mp4", [fake] * 6, 0)
    rows = read_folder(root / "data", split="train")
    return [*prepare(rows, root / "stored", PrepareSpec(sequences=1, frames=4)).sequences]


@pytest.mark.parametrize("augment", ["flip", "box", "crop_and_flip", "one_of_eight"])
def test_an_augmentation_is_drawn_once_for_a_clip(still: list[FaceSequence], augment: str):
    assert augment in CHANGES
    samples = Samples(
        still,
        SPEC,
        Recipe(
            loss=loss,
            sampling=Sampling(augment=augment),
        ),
        24,
        0,
    )
    items = [samples[number] for number in range(24)]
    for number, item in enumerate(items):
        drawn = CHANGES[augment].draw(np.random.default_rng([0, number]))
        # Grain is drawn for every frame, as a camera makes it; all else but once.
        is_still = torch.equal(item.pixels, item.pixels[:, :1].expand_as(item.pixels))
        assert is_still == (drawn.pixels.noise == 0)
    seen = {item.pixels[0, 0].numpy().tobytes() for item in items}
    assert len(seen) > 1


def test_half_of_the_clips_are_mirrored_both_of_a_pair_alike(still: list[FaceSequence]):
    plain = Samples(still, SPEC, Recipe(loss=loss), 1, 0)[0].pixels
    samples = Samples(
        still,
        SPEC,
        Recipe(
            loss=loss,
            sampling=Sampling(augment="flip"),
        ),
        24,
        0,
    )
    mirrored = []
    for number in range(24):
        pixels = samples[number].pixels
        mirrored.append(torch.equal(pixels, plain.flip(3)))
        assert mirrored[-1] or torch.equal(pixels, plain)
    assert 6 <= sum(mirrored) <= 18


def test_random_crops_are_cut_from_the_larger_picture(still: list[FaceSequence]):
    whole = dataclasses.replace(SPEC, size=(48, 48), load_size=None)
    (large, _) = Samples(still, whole, Recipe(loss=loss), 1, 0)[0].pixels[:, 0]
    samples = Samples(
        still,
        SPEC,
        Recipe(
            loss=loss,
            sampling=Sampling(augment="crop_and_flip"),
        ),
        12,
        0,
    )
    places = set()
    for number in range(12):
        crop = samples[number].pixels[0, 0]
        views = {
            (y, x, flip)
            for flip, picture in enumerate((large, large.flip(1)))
            for y in range(9)
            for x in range(9)
            if torch.equal(crop, picture[y : y + 40, x : x + 40])
        }
        assert len(views) == 1
        places |= views
    assert len(places) > 8
