"""Networks with other arguments than the card's: trained, gone on from, resumed, pretrained."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import torch
from pretraining_toys import PAINTER, Painter, write_expressions

import unmask
from unmask.checkpoints import read_metadata, save_weights
from unmask.detectors import Card, detector, get_card
from unmask.errors import UsageError, WeightsError
from unmask.train import Source, apply_settings, dry_run, pretrain, train
from unmask.train.settings import differing_settings
from unmask.types import Pixels
from unmask.weights import load_detector

WIDE = ["width=8", "input.size=(24, 24)"]
SHORT = ["epochs=1", "steps_per_epoch=1"]


def run(toy: Card, data: Path, out: Path, settings: list[str], **how: object) -> Path:
    quiet = {"workers": 0, "progress": False, "validation": data}
    return train(toy.name, data, out, settings=settings, **quiet, **how)  # type: ignore[arg-type]


def test_a_trained_variant_is_scanned_with_as_it_was_trained(
    toy: Card, real_faces: Path, portrait_video: Path, tmp_path: Path
):
    path = run(toy, real_faces, tmp_path / "run", [*SHORT, *WIDE])
    said = read_metadata(path)
    assert json.loads(said["args"]) == {"width": 8}
    assert json.loads(said["input"])["size"] == [24, 24]
    net = load_detector(toy.name, path)
    assert (net.card.args, net.card.input.size) == ({"width": 8}, (24, 24))
    verdict = unmask.scan(portrait_video, [toy.name], weights={toy.name: path})
    assert verdict.clip_scores
    assert verdict.detectors[0].weights == str(path)


def test_training_goes_on_with_the_network_that_the_weights_are_of(
    toy: Card, real_faces: Path, tmp_path: Path
):
    start = run(toy, real_faces, tmp_path / "start", [*SHORT, *WIDE])
    lines: list[str] = []
    out = tmp_path / "run"
    path = run(toy, real_faces, out, SHORT, weights=start, report=lines.append)
    assert (
        f"{start} was trained with input.size=(24, 24), width=8: so is this run, unless --set "
        "says otherwise."
    ) in lines
    assert load_detector(toy.name, path).card.args == {"width": 8}
    record = json.loads((out / "run.json").read_text())
    assert record["settings"] == SHORT
    assert record["inherited"] == ["input.size=(24, 24)", "width=8"]
    # A resumed run knows it without the file.
    start.unlink()
    again = run(toy, real_faces, out, ["epochs=2", SHORT[1]], resume=True)
    assert load_detector(toy.name, again).card.input.size == (24, 24)
    assert len(json.loads((out / "run.json").read_text())["curve"]) == 2


def test_a_setting_counts_more_than_what_the_weights_say(
    toy: Card, real_faces: Path, tmp_path: Path
):
    start = run(toy, real_faces, tmp_path / "start", [*SHORT, *WIDE])
    path = run(toy, real_faces, tmp_path / "run", [*SHORT, "input.size=(40, 40)"], weights=start)
    card = load_detector(toy.name, path).card
    assert (card.args, card.input.size) == ({"width": 8}, (40, 40))


def test_a_dry_run_is_of_the_network_that_would_be_trained(
    toy: Card, real_faces: Path, tmp_path: Path
):
    start = run(toy, real_faces, tmp_path / "start", [*SHORT, *WIDE])
    lines: list[str] = []
    found = dry_run(
        toy.name, real_faces, validation=real_faces, weights=start, workers=0, report=lines.append
    )
    assert f"{start} was trained with input.size=(24, 24), width=8" in "\n".join(lines)
    wide = apply_settings(toy, WIDE).build()
    assert found.trained + found.frozen == sum(p.numel() for p in wide.parameters())
    start.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        dry_run(toy.name, real_faces, validation=real_faces, weights=start)


def test_settings_say_how_two_cards_differ(toy: Card):
    settings = ["width=7", "input.fps=5.0", "input.align=similarity", "input.size=(8, 9)"]
    other = apply_settings(toy, settings)
    told = differing_settings(toy, other)
    assert apply_settings(toy, told) == other
    assert apply_settings(other, differing_settings(other, toy)) == toy
    assert differing_settings(toy, toy) == []


def test_pretraining_takes_the_arguments_but_not_the_input(
    toy: Card, tmp_path: Path, faces: Callable[..., list[Pixels]]
):
    detector(PAINTER)(type("Painter", (Painter,), {"__module__": __name__}))
    wide = get_card("painter").changed(args={"width": 4}, input={"size": (48, 48)})
    start = save_weights(
        wide.build().state_dict(),
        tmp_path / "start.safetensors",
        detector="painter",
        tag="x",
        license="MIT",
        trained_on="nothing",
        args=wide.args,
        input=wide.input,
    )
    root = write_expressions(tmp_path / "data", faces(3, 120))
    quiet = {"workers": 0, "progress": False, "settings": SHORT}
    lines: list[str] = []
    path = pretrain(
        "painter", "colors", root, tmp_path / "run", weights=start, report=lines.append, **quiet
    )
    assert f"{start} was trained with width=4: so is this run, unless" in "\n".join(lines)
    card = load_detector("painter", path).card
    assert (card.args, card.input) == ({"width": 4}, PAINTER.input)
    assert "input" not in read_metadata(path)
    with pytest.raises(
        UsageError, match="Cannot choose 2 real videos for a pretraining: it classifies"
    ):
        pretrain("painter", "colors", Source(path=root, videos=2), tmp_path / "b", **quiet)


def test_a_misspelled_part_is_told_before_faces_are_looked_for(
    toy: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def read_faces(*_: object, **__: object) -> None:
        raise AssertionError("faces were looked for")

    for module in ("run", "dry_run"):
        monkeypatch.setattr(import_module(f"unmask.train.{module}"), "read_faces", read_faces)
    message = "Cannot use freeze of 'forzen': toy has no such part. Its parts: frozen, body"
    with pytest.raises(UsageError, match=message):
        run(toy, tmp_path, tmp_path / "run", ["freeze=('forzen',)"])
    with pytest.raises(UsageError, match=message):
        dry_run(toy.name, tmp_path, settings=["freeze=('forzen',)"])


def test_hours_add_up_over_a_resumed_run(toy: Card, real_faces: Path, tmp_path: Path):
    out = tmp_path / "run"
    run(toy, real_faces, out, SHORT)
    assert json.loads((out / "run.json").read_text())["hours"] < 1
    last = torch.load(out / "last.ckpt", weights_only=True)
    assert 0 < last["hours"] < 1
    torch.save(last | {"hours": last["hours"] + 5}, out / "last.ckpt")
    run(toy, real_faces, out, ["epochs=2", SHORT[1]], resume=True)
    assert 5 <= json.loads((out / "run.json").read_text())["hours"] < 6


def test_files_that_say_nothing_still_begin_a_run(toy: Card, real_faces: Path, tmp_path: Path):
    start = save_weights(
        toy.build().state_dict(),
        tmp_path / "start.safetensors",
        detector=toy.name,
        tag="x",
        license="MIT",
        trained_on="nothing",
    )
    path = run(toy, real_faces, tmp_path / "run", SHORT, weights=start)
    assert load_detector(toy.name, path).card is toy


def test_what_begins_with_weights_not_for_commercial_use_is_not_either(
    toy: Card, real_faces: Path, tmp_path: Path
):
    notes = {"non_commercial": "yes", "licensor": "Ada", "license_accepted": ""}

    def start(path: Path, accepted: str) -> Path:
        about = {"detector": toy.name, "tag": "x", "license": "CC BY-NC", "trained_on": "nothing"}
        said = {**notes, "license_accepted": accepted}
        return save_weights(toy.build().state_dict(), path, notes=said, **about)

    refused = start(tmp_path / "a.safetensors", "")
    with pytest.raises(WeightsError, match="has no record that you accepted it"):
        run(toy, real_faces, tmp_path / "no", SHORT, weights=refused)
    given = start(tmp_path / "b.safetensors", "2026-11-21T09:00:00+00:00")
    path = run(toy, real_faces, tmp_path / "run", SHORT, weights=given)
    said = read_metadata(path)
    assert said["license"] == "CC BY-NC, of the weights it began with; MIT"
    assert (said["non_commercial"], said["licensor"]) == ("yes", "Ada")
    assert load_detector(toy.name, path).weights.is_non_commercial
    # A resumed run knows it without the file.
    given.unlink()
    again = run(toy, real_faces, tmp_path / "run", ["epochs=2", SHORT[1]], resume=True)
    assert read_metadata(again)["license_accepted"] == "2026-11-21T09:00:00+00:00"
