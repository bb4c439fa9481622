"""What a run consists of: detectors of protocols, trainings, stored faces, the small setting."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import toy_detectors
from unmask.detectors import get_card
from unmask.papers import progress as run_count
from unmask.papers.faces import face_sets, source_of
from unmask.papers.plan import find_parts, training_jobs
from unmask.papers.progress import Count
from unmask.papers.small import small_settings, trial
from unmask.train import apply_settings
from unmask.types import InputSpec, LabelledVideo

CLIPS = InputSpec(size=(96, 96), frames=16, fps=3.0, hop=16)
OWN_RATE = InputSpec(size=(32, 32), frames=10, stride=9)


@pytest.fixture(autouse=True)
def own_detectors(monkeypatch):
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    toy_detectors.register_recurrent("clips", CLIPS, None)
    toy_detectors.register_recurrent("own_rate", OWN_RATE, None)


def test_detectors_that_are_named_take_the_place_of_a_papers_own():
    parts = find_parts(["emd"], ["bright", "clips", "bright"])
    assert {part.protocol.paper for part in parts} == {"emd"}
    assert {tuple(card.name for card in part.cards) for part in parts} == {("bright", "clips")}


def test_equal_trainings_are_one_job_whatever_their_names():
    parts = find_parts(["emd"], ["bright"])
    jobs = training_jobs(parts, 3.0, is_small=True)
    wanted = [training for part in parts for training in part.trainings]
    assert len(wanted) > len(jobs) == len(set(wanted))
    assert len({job.name for job in jobs.values()}) == len(jobs)
    full = training_jobs(parts, 3.0, is_small=False)
    assert {job.settings for job in full.values()} == {()}
    assert not {job.name for job in full.values()} & {le.name for le in jobs.values()}


def test_the_small_setting_shrinks_recipe_and_picture():
    card = apply_settings(get_card("clips"), small_settings(get_card("clips"), 3.0))
    assert (
        card.recipe.schedule.epochs,
        card.recipe.schedule.steps_per_epoch,
        card.recipe.sampling.batch_size,
    ) == (1, 4, 2)
    assert card.input.size == (64, 64)
    assert card.input.frames == 16
    assert trial(card) is not None
    small = small_settings(get_card("bright"), 3.0)
    assert "batch_size=4" in small
    assert not any(setting.startswith("input.") for setting in small)


@pytest.mark.parametrize("seconds", [1.0, 2.0, 3.0, 4.0])
def test_clips_of_the_small_setting_fit_into_the_videos_once(seconds):
    card = apply_settings(get_card("clips"), small_settings(get_card("clips"), seconds))
    assert card.input.frames * card.input.stride / card.input.fps <= seconds
    assert card.input.hop >= seconds * card.input.fps / card.input.stride
    own = apply_settings(get_card("own_rate"), small_settings(get_card("own_rate"), seconds))
    assert own.input.frames * own.input.stride / 24 <= seconds


def test_a_picture_stays_where_the_network_takes_no_other(monkeypatch):
    card = get_card("clips")
    monkeypatch.setattr("unmask.papers.small.trial", lambda card: None)
    assert not any(setting.startswith("input.size") for setting in small_settings(card, 6.0))


def test_a_trial_of_a_size_that_does_not_go():
    assert trial(get_card("clips").changed(input={"size": (2, 2)})) is None
    assert trial(get_card("clips")).parameters > 0


def test_clips_of_several_lengths_share_stored_faces():
    job = next(iter(training_jobs(find_parts(["emd"], ["clips"]), 3.0, is_small=True).values()))
    one, two = (
        dataclasses.replace(job, card=job.card.changed(input={"frames": frames}))
        for frames in (5, 9)
    )
    rows = [row("c23", "a"), row("c40", "b"), row("raw", "c")]
    [found] = face_sets([one, two], rows)
    assert found.spec.frames == 9
    level = one.training.compressions
    assert [r.compression for r in found.rows] == list(level)
    source = source_of(one, found.rows[0].path)
    assert (source.compressions, source.methods) == (level, one.training.methods)


def test_pictures_and_clips_do_not_share_them():
    parts = find_parts(["emd"], ["clips", "bright"])
    jobs = list(training_jobs(parts, 3.0, is_small=True).values())
    found = face_sets(jobs, [row("c23", "a"), row("c40", "b"), row("raw", "c")])
    assert len(found) == 2
    assert len({one.name for one in found}) == 2
    assert sum(len(one.jobs) for one in found) == len(jobs)
    assert {r.compression for one in found for r in one.rows} == {"c23", "c40"}


def test_lines_tell_the_time_left(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(run_count.time, "monotonic", lambda: now[0])
    reports: list[str] = []
    count = Count("Trained", 10, reports.append, done=4)
    for _ in range(6):
        now[0] += 60.0
        count.tick()
    assert reports[0] == "Trained: 5 of 10, about 5 min left"
    assert reports[4] == "Trained: 9 of 10, about 60 s left"
    assert reports[-1] == "Trained: 10 of 10"


def test_lines_come_at_most_every_few_seconds(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(run_count.time, "monotonic", lambda: now[0])
    reports: list[str] = []
    count = Count("Faces", 100, reports.append)
    for done in range(1, 101):
        now[0] += 0.1
        count.reached(done)
    assert len(reports) == 3
    assert reports[-1] == "Faces: 100 of 100"


def row(level: str, name: str) -> LabelledVideo:
    return LabelledVideo(
        path=Path(f"{name}.mp4"), label=0, dataset="minibench", split="train", compression=level
    )


def test_what_was_there_before_takes_no_part_in_the_time_left(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(run_count.time, "monotonic", lambda: now[0])
    reports: list[str] = []
    count = Count("Faces", 100, reports.append)
    for done in (90, 92, 94):
        count.reached(done)
        now[0] += 10.0
    assert reports == [
        "Faces: 90 of 100",
        "Faces: 92 of 100, about 40 s left",
        "Faces: 94 of 100, about 30 s left",
    ]
