"""Several processes, added gradients, half precision, clips, and logs."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from train_toys import PLAIN, Plain

import toy_detectors
from unmask.detectors import Card, detector
from unmask.errors import DataError, OutputError, UsageError
from unmask.train import train


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Card:
    toy_detectors.own_registry(monkeypatch)
    detector(PLAIN)(Plain)
    return PLAIN


def run(
    card: Card, data: Path, validation: Path | None, out: Path, *settings: str, devices: int = 1
) -> dict[str, torch.Tensor]:
    result = train(
        card.name,
        data,
        out,
        validation=validation,
        settings=settings,
        devices=devices,
        workers=0,
        progress=False,
    )
    return load_file(result)


def assert_close(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    """To 1e-5: sums in another order differ by a little more than 1e-6 after four steps."""
    assert a.keys() == b.keys()
    for key in a:
        torch.testing.assert_close(a[key], b[key], rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_processes_learn_what_one_learns(
    plain: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    one = run(plain, real_faces, validation_faces, tmp_path / "one")
    two = run(plain, real_faces, validation_faces, tmp_path / "two", devices=2)
    assert_close(one, two)
    curves = [
        torch.load(tmp_path / name / "last.ckpt", weights_only=True)["curve"]
        for name in ("one", "two")
    ]
    # Every validation pair counts once, whoever saw it.
    for alone, together in zip(*curves, strict=True):
        for key in ("auc", "pair_accuracy", "negative_loss"):
            assert together[key] == pytest.approx(alone[key], abs=1e-5)


def test_more_processes_than_pairs_is_told(
    plain: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    with pytest.raises(UsageError, match=r"share a batch of 4 among 3 processes.*batch_size"):
        run(plain, real_faces, validation_faces, tmp_path / "run", devices=3)


def test_added_gradients_are_those_of_the_larger_batch(
    plain: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    whole = run(plain, real_faces, validation_faces, tmp_path / "a")
    parts = run(plain, real_faces, validation_faces, tmp_path / "b", "batch_size=2", "accumulate=2")
    assert_close(whole, parts)


def test_half_precision_learns_nearly_the_same(
    plain: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    whole = run(plain, real_faces, validation_faces, tmp_path / "a")
    half = run(plain, real_faces, validation_faces, tmp_path / "b", "precision=bf16-mixed")
    differences = [float((whole[key] - half[key]).abs().max()) for key in whole]
    assert 0 < max(differences) < 0.02


def test_curves_are_there_for_tensorboard(
    plain: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    run(plain, real_faces, validation_faces, tmp_path / "run", "epochs=1")
    events = [*(tmp_path / "run" / "tensorboard").glob("events.out.tfevents.*")]
    assert len(events) == 1
    assert b"auc" in events[0].read_bytes()


@pytest.fixture(scope="session")
def video_faces(portrait_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos of a real face, in one place: the cache of found faces knows them by path."""
    folder = tmp_path_factory.mktemp("videos")
    for name in ("a.mp4", "b.mp4"):
        (folder / name).write_bytes(portrait_video.read_bytes())
    return folder


CLIPS = ("input.frames=4", "input.fps=none", "epochs=1")


@pytest.mark.parametrize("more", [(), ("sampling=stratified",), ("twins=('c23', 'c40')",)])
def test_clips_of_several_frames_are_trained(
    plain: Card, video_faces: Path, tmp_path: Path, more: tuple[str, ...]
):
    before = Plain().state_dict()
    after = run(plain, video_faces, video_faces, tmp_path / "run", *CLIPS, *more)
    assert after.keys() == before.keys()
    assert all(torch.isfinite(value).all() for value in after.values())


def test_without_masks_a_detector_that_needs_them_is_not_trained(
    plain: Card, labelled_faces: Path, tmp_path: Path
):
    message = r"3 of 3 fake files have no mask.*tint/0\.png.*--set synthesize=self_blend"
    with pytest.raises(DataError, match=message):
        run(
            plain,
            labelled_faces,
            labelled_faces,
            tmp_path / "run",
            "needs_masks=true",
            "synthesize=none",
        )


def test_without_the_second_level_twins_cannot_be_made(
    plain: Card, labelled_faces: Path, tmp_path: Path
):
    with pytest.raises(DataError, match=r"c23.*c40|c40.*c23"):
        run(
            plain,
            labelled_faces,
            labelled_faces,
            tmp_path / "run",
            "twins=('c23', 'c40')",
            "synthesize=none",
        )


def test_parts_that_warm_up_are_trained_alone_first(
    plain: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    torch.manual_seed(PLAIN.recipe.seed)
    fresh = Plain().state_dict()
    warm = ("warmup_epochs=1", "warmup_parts=('head',)")
    first = run(plain, real_faces, validation_faces, tmp_path / "a", "epochs=1", *warm)
    assert torch.equal(first["body.0.weight"], fresh["body.0.weight"])
    assert not torch.equal(first["head.weight"], fresh["head.weight"])
    run(plain, real_faces, validation_faces, tmp_path / "b", "epochs=2", *warm)
    last = torch.load(tmp_path / "b" / "last.ckpt", weights_only=True)["state_dict"]
    assert not torch.equal(last["net.body.0.weight"], fresh["body.0.weight"])


def test_a_schedule_that_is_over_ends_the_run(
    plain: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    how = ("epochs=9", "schedule=step", "schedule_epochs=1", "schedule_times=2")
    run(plain, real_faces, validation_faces, tmp_path / "run", *how)
    checkpoint = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    assert [row["epoch"] for row in checkpoint["curve"]] == [0, 1, 2]
    (group, *_) = checkpoint["optimizer_states"][0]["param_groups"]
    assert group["lr"] == pytest.approx(0.1 * 0.01)


def test_a_full_disk_keeps_the_last_whole_epoch(
    plain: Card,
    real_faces: Path,
    validation_faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    from lightning.pytorch.plugins.io import TorchCheckpointIO

    save, saved = TorchCheckpointIO.save_checkpoint, []

    def full(self, checkpoint, path, storage_options=None):
        if len(saved) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        saved.append(path)
        save(self, checkpoint, path, storage_options)

    monkeypatch.setattr(TorchCheckpointIO, "save_checkpoint", full)
    settings = ("epochs=4", "monitor=negative_loss")
    with pytest.raises(OutputError, match=r"the disk is full.*--resume"):
        run(plain, real_faces, validation_faces, tmp_path / "run", *settings)
    monkeypatch.undo()
    toy_detectors.own_registry(monkeypatch)
    detector(PLAIN)(Plain)
    resumed = train(
        plain.name,
        real_faces,
        tmp_path / "run",
        validation=validation_faces,
        resume=True,
        workers=0,
        progress=False,
    )
    whole = run(plain, real_faces, validation_faces, tmp_path / "whole", *settings)
    assert_close(load_file(resumed), whole)
