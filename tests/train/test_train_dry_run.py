from __future__ import annotations

import re
from pathlib import Path

from unmask.detectors import Card
from unmask.train import dry_run


def test_a_dry_run_tells_recipe_balance_time_and_memory_and_writes_nothing(
    toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    found = dry_run(toy.name, real_faces, validation=validation_faces, settings=["epochs=7"])
    assert found.counts["train_files"] == 3
    assert found.fake_share == 0.5
    assert (found.steps_per_epoch, found.clips_per_batch) == (2, 4)
    held = {name: p.numel() for name, p in toy.build().named_parameters()}
    frozen = sum(count for name, count in held.items() if name.startswith("frozen."))
    assert (found.frozen, found.trained) == (frozen, sum(held.values()) - frozen)
    text = "\n".join(found.lines())
    assert "epochs = 7\n" in text
    assert "train: 3 real and 0 fake files, 3 stored clips" in text
    assert "Batch: 4 clips, 50% of them fake" in text
    assert re.search(r"Epoch: 2 batches, about [\d.]+ min; 7 epochs at most", text)
    assert re.search(r"Memory: [\d,]+ MB", text)
    assert list(tmp_path.iterdir()) == []


def test_adding_workers_is_told_in_the_time_of_an_epoch(
    toy: Card, real_faces: Path, validation_faces: Path
):
    found = dry_run(toy.name, real_faces, validation=validation_faces, workers=0)
    least = found.steps_per_epoch * (found.batch_s + found.step_s)
    assert found.epoch_s > least
