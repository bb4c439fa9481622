"""Which rows train: filters of prepared folders, refusals before faces are looked for, origins."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from torch import Tensor

import unmask.train.data as data_module
from dataset_trees import touch_faceforensics, write_faceforensics
from unmask.checkpoints import read_metadata, save_weights
from unmask.detectors import Card, Output, Recipe, Target, get_card
from unmask.detectors.recipe import Sampling
from unmask.errors import DataError, OutputError, UsageError, WeightsError
from unmask.media import open_video
from unmask.prepare import FaceSequence, PrepareSpec, prepare, read_prepared
from unmask.train import Source, train
from unmask.train.augment import change_of
from unmask.train.clip import cut_clip, read_clip
from unmask.train.data import origin_of, prepare_spec_for, read_faces
from unmask.train.run_folder import write_record
from unmask.train.samples import Samples
from unmask.types import InputSpec, LabelledVideo, Pixels
from unmask.weights import load_detector

PAIRS = [("000", "003"), ("011", "012")]
METHODS = ("Deepfakes", "FaceSwap")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people, forged by two methods, at two levels; single moments of all of it."""
    root = tmp_path_factory.mktemp("ff")
    write_faceforensics(root / "tree", PAIRS, METHODS, frames=2)
    rows = Source(path=root / "tree", dataset="faceforensics").rows()
    prepare(rows, root / "faces", PrepareSpec(sequences=1, largest_face_px=120))
    return root / "faces"


@pytest.fixture(scope="module")
def twins(prepared: Path) -> Path:
    rows = Source(path=prepared.parent / "tree", dataset="faceforensics").rows()
    prepare(rows, prepared.parent / "twins", PrepareSpec(sequences=1, twins=("c23", "c40")))
    return prepared.parent / "twins"


def card_loss(output: Output, target: Target) -> Tensor:
    return output.logit.mean()


@pytest.fixture
def card(toy: Card) -> Card:
    """Learns from the forgeries in the data."""
    return dataclasses.replace(toy, recipe=toy.recipe.changed({"synthesize": None}))


@pytest.fixture
def nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(*_: object, **__: object) -> None:
        raise AssertionError("faces were looked for")

    monkeypatch.setattr(data_module, "prepare", prepare)


def kinds(card: Card, source: Source) -> dict[str, set[tuple[str, str]]]:
    """Method and level of every sequence, by split; rows must agree with them."""
    faces = read_faces(card, source, None)
    found = {
        split: {(s.video.method, s.video.compression) for s in sequences}
        for split, sequences in faces.by_split.items()
    }
    for split in found:
        rows = {(r.method, r.compression) for r in faces.rows if r.split == split}
        assert rows == found[split]
    return found


@pytest.mark.parametrize(
    ("methods", "levels"),
    [(None, None), (("FaceSwap",), None), (None, ("c40",)), (("Deepfakes",), ("c23",)), ((), None)],
)
def test_a_prepared_folder_gives_the_methods_and_levels_asked_for(
    card: Card,
    prepared: Path,
    methods: Sequence[str] | None,
    levels: Sequence[str] | None,
):
    source = Source(
        path=prepared,
        methods=None if methods is None else tuple(methods),
        compressions=None if levels is None else tuple(levels),
    )
    expected = {
        (method, level)
        for method in ("", *(METHODS if methods is None else methods))
        for level in levels or ("c23", "c40")
    }
    assert kinds(card, source) == {"train": expected, "val": expected}


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"methods": ("FaceSwop",)}, "Unknown method .*'FaceSwop'. Did you mean 'FaceSwap'"),
        ({"compressions": ("raw",)}, "Unknown level of compression .*'raw'.*Known: c23, c40"),
    ],
)
def test_what_was_not_prepared_cannot_be_chosen(
    card: Card, prepared: Path, filters: dict, message: str
):
    with pytest.raises(DataError, match=message):
        read_faces(card, Source(path=prepared, **filters), None)


def test_both_levels_of_prepared_twins_are_all_of_it(card: Card, twins: Path):
    whole = {(method, "c23") for method in ("", *METHODS)}
    source = Source(path=twins, compressions=("c40", "c23"))
    assert kinds(card, source) == {"train": whole, "val": whole}
    with pytest.raises(DataError, match=r"Unknown level of compression .*'c40'"):
        read_faces(card, Source(path=twins, compressions=("c40",)), None)


def at_both_levels(sequence: FaceSequence) -> dict[str, Pixels]:
    """The picture of a stored moment cut out of the video's file at either level."""
    better = sequence.video.path
    files = {"c23": better, "c40": Path(str(better).replace("/c23/", "/c40/"))}
    place, frames = sequence.frame_indices[0], {}
    for level, file in files.items():
        with open_video(file) as video:
            (frames[level],) = [f.pixels for f in video.frames(lambda i, *_: i == place)]
    stored = sequence.pixels([0])[0]
    height, width = stored.shape[:2]
    # The stored picture is of the better file, so that file shows where it was cut.
    found = cv2.matchTemplate(frames["c23"], stored, cv2.TM_SQDIFF)
    x, y = cv2.minMaxLoc(found)[2]
    cuts = {level: frame[y : y + height, x : x + width] for level, frame in frames.items()}
    assert np.array_equal(cuts["c23"], stored)
    assert not np.array_equal(cuts["c40"], stored)
    return cuts


def test_the_network_gets_the_worse_level_and_the_better_one_as_its_twin(twins: Path):
    found = read_prepared(twins).sequences
    recipe = Recipe(
        loss=card_loss,
        sampling=Sampling(twins=("c23", "c40")),
    )
    spec = InputSpec(size=(64, 64))
    real = next(s for s in found if s.label == 0 and s.video.split == "train")
    fake = next(s for s in found if s.label == 1 and s.video.split == "train")
    batch = Samples([real, fake], spec, recipe, count=1, seed=0)[0]
    assert batch.label.tolist() == [0, 1]
    assert batch.twin is not None
    for number, sequence in enumerate((real, fake)):
        levels = at_both_levels(sequence)
        plain = read_clip(sequence, 1, np.random.default_rng(0))
        for level, got in (("c40", batch.pixels), ("c23", batch.twin)):
            clip = dataclasses.replace(plain, frames=[levels[level]])
            wanted = cut_clip(
                clip, spec, change_of(None), np.random.default_rng(0), is_flipped=False
            )
            assert np.array_equal(got[number].numpy(), wanted.pixels), level


def of_training(card: Card, source: Source) -> dict[str, set[str]]:
    """Stems of the training files by method, and how many files validate."""
    faces = read_faces(card, source, None)
    found: dict[str, set[str]] = {"val": {r.path.stem for r in faces.rows if r.split == "val"}}
    for row in faces.rows:
        if row.split == "train":
            found.setdefault(row.method, set()).add(row.path.stem)
    return found


def test_fewer_real_videos_train_with_the_forgeries_made_of_them(card: Card, prepared: Path):
    whole = of_training(card, Source(path=prepared))
    assert whole[""] == {"000", "003"}
    lines: list[str] = []
    source = Source(path=prepared, videos=1)
    read_faces(card, source, None, report=lines.append)
    assert "Training takes 1 of 2 real videos (2 files) and 4 files forged from them." in lines
    one = of_training(card, source)
    (real,) = one.pop("")
    forged = {"000": "000_003", "003": "003_000"}[real]
    assert one == {"val": whole["val"], **{method: {forged} for method in METHODS}}
    assert of_training(card, Source(path=prepared, videos=2)) == whole
    others = {next(iter(of_training(with_seed(card, seed), source)[""])) for seed in range(8)}
    assert others == {"000", "003"}


def with_seed(card: Card, seed: int) -> Card:
    return dataclasses.replace(card, recipe=card.recipe.changed({"seed": seed}))


def test_a_seeds_smaller_draws_lie_within_its_larger_ones():
    rows = [
        LabelledVideo(
            path=Path(f"{name}{level}"), label=0, dataset="d", split="train", source_id=str(name)
        )
        for name in range(20)
        for level in ("c23", "c40")
    ]
    draws = [
        {row.source_id for row in data_module._of_videos(rows, count, 3, lambda line: None)}
        for count in range(1, 21)
    ]
    assert [len(draw) for draw in draws] == list(range(1, 21))
    assert all(a < b for a, b in itertools.pairwise(draws))


@pytest.mark.parametrize(
    ("videos", "error", "message"),
    [
        (0, UsageError, "Cannot train with 0 real videos: expected at least 1"),
        (3, DataError, "Cannot train with 3 real videos: the training split holds 2. Give more"),
    ],
)
def test_a_number_of_videos_that_is_not_there_is_told(
    card: Card, prepared: Path, videos: int, error: type[Exception], message: str
):
    with pytest.raises(error, match=message):
        read_faces(card, Source(path=prepared, videos=videos), None)


def test_videos_without_a_source_cannot_be_counted():
    row = LabelledVideo(path=Path("a.mp4"), label=0, dataset="d", split="train")
    message = r"Cannot choose 1 real videos: nothing says which of them 'a\.mp4' belongs to"
    with pytest.raises(DataError, match=message):
        data_module._of_videos([row], 1, 0, lambda line: None)


def test_missing_masks_are_told_before_faces_are_looked_for(
    card: Card, nobody_looks: None, tmp_path: Path
):
    touch_faceforensics(tmp_path, PAIRS, METHODS, with_masks=False)
    needy = dataclasses.replace(card, recipe=card.recipe.changed({"needs_masks": True}))
    source = Source(path=tmp_path, dataset="faceforensics", compressions=("c23",))
    message = r"8 of 8 fake files have no mask.*000_003\.mp4.*of Deepfakes, FaceSwap.*--method"
    with pytest.raises(DataError, match=message):
        read_faces(needy, source, None)


def test_a_person_on_both_sides_is_told_before_faces_are_looked_for(
    card: Card, nobody_looks: None, tmp_path: Path
):
    touch_faceforensics(tmp_path, PAIRS)
    source = Source(path=tmp_path, dataset="faceforensics")
    message = r"4 identities on both sides: ff/000 \(train and val\)"
    with pytest.raises(DataError, match=message):
        read_faces(card, source, source)


def test_a_missing_level_is_told_before_faces_are_looked_for(card: Card, tmp_path: Path):
    touch_faceforensics(tmp_path, PAIRS)
    (tmp_path / "original_sequences/youtube/c40/videos/003.mp4").unlink()
    paired = dataclasses.replace(card, recipe=card.recipe.changed({"twins": ("c23", "c40")}))
    message = r"1 of 4 videos at c23 have no twin at c40.*003\.mp4.*Download both"
    with pytest.raises(DataError, match=message):
        read_faces(paired, Source(path=tmp_path, dataset="faceforensics"), None)


def test_weights_of_another_network_are_told_before_faces_are_looked_for(
    toy: Card, nobody_looks: None, tmp_path: Path
):
    touch_faceforensics(tmp_path, PAIRS)
    source = Source(path=tmp_path, dataset="faceforensics")
    how = {"settings": ["synthesize=none", "width=8"], "workers": 0, "progress": False}
    weights = tmp_path / "narrow.safetensors"
    save_weights(
        toy.build().state_dict(), weights, detector="toy", tag="x", license="x", trained_on="x"
    )
    message = r"narrow\.safetensors.* do not fit toy.*changed by --set"
    with pytest.raises(WeightsError, match=message):
        train(toy.name, source, tmp_path / "run", weights=weights, **how)
    with pytest.raises(WeightsError, match="Cannot find weights file"):
        train(toy.name, source, tmp_path / "run", weights=tmp_path / "nope.pth", **how)


def test_results_of_published_data_are_under_the_terms_of_the_data(
    toy: Card, prepared: Path, tmp_path: Path
):
    settings = ["synthesize=none", "epochs=1", "steps_per_epoch=1"]
    source = Source(path=prepared, methods=("FaceSwap",), compressions=("c23",))
    how = {"settings": settings, "workers": 0, "progress": False}
    first = train(toy.name, source, tmp_path / "first", **how)
    assert read_metadata(first)["license"] == "that of the training data (faceforensics)"
    used = load_detector(toy.name, first).weights
    assert used is not None
    assert used.license == "that of the training data (faceforensics)"
    assert used.trained_on == f"4 files of {prepared} (faceforensics)"
    record = json.loads((tmp_path / "first" / "run.json").read_text())["data"]
    assert (record["path"], record["methods"], record["compressions"]) == (
        str(prepared),
        ["FaceSwap"],
        ["c23"],
    )
    second = train(toy.name, source, tmp_path / "second", weights=first, **how)
    told = read_metadata(second)["trained_on"]
    assert told == f"4 files of {prepared} (faceforensics), begun with {first}"


def test_results_of_a_plain_folder_are_ones_own(card: Card, real_faces: Path):
    source = Source(path=real_faces)
    origin = origin_of(source, read_faces(card, source, source), None)
    assert origin == ("MIT", f"3 files of {real_faces}", {})
    listed = dataclasses.replace(source, dataset="csv")
    assert origin_of(listed, read_faces(card, source, source), None)[:2] == (
        "that of the training data (csv)",
        f"3 files of {real_faces} (csv)",
    )


def test_a_resumed_run_remembers_the_weights_it_began_with(
    toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    how = {"validation": validation_faces, "workers": 0, "progress": False}
    short = ["epochs=1", "steps_per_epoch=1"]
    start = train(toy.name, real_faces, tmp_path / "start", settings=short, **how)
    out = tmp_path / "run"
    train(toy.name, real_faces, out, weights=start, settings=short, **how)
    longer = ["epochs=2", "steps_per_epoch=1"]
    path = train(toy.name, real_faces, out, settings=longer, resume=True, **how)
    assert json.loads((out / "run.json").read_text())["weights"] == str(start)
    assert read_metadata(path)["trained_on"].endswith(f"begun with {start}")


def test_a_full_disk_is_told_where_the_run_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_record(tmp_path, {"epochs": 1})

    def full(self: Path, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    message = r"Cannot write '.*run\.json': No space left on device\. Free some space.*--resume"
    with pytest.raises(OutputError, match=message):
        write_record(tmp_path, {"epochs": 2})
    assert json.loads((tmp_path / "run.json").read_text()) == {"epochs": 1}


@pytest.mark.parametrize("name", ["r3d18", "i3d", "r2plus1d18", "efficientnet_b3_bigru"])
def test_clips_of_the_spatio_temporal_paper_are_drawn_from_anywhere(name: str):
    spec = prepare_spec_for(get_card(name))
    assert (spec.frames, spec.sequences, spec.is_stretch) == (16, None, True)
    assert not prepare_spec_for(get_card("lipforensics")).is_stretch
