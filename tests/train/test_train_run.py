from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from unmask.detectors import Card
from unmask.detectors.recipe import places
from unmask.errors import DataError, MissingDependencyError, OutputError, UsageError
from unmask.train import run as run_module
from unmask.train import train
from unmask.weights import load_detector

Tensors = dict[str, torch.Tensor]


def weights_of(path: Path) -> Tensors:
    with safe_open(path, "pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def run(
    toy: Card,
    data: Path,
    validation: Path | None,
    out: Path,
    settings: Sequence[str] = (),
    **how: bool,
) -> Path:
    return train(
        toy.name,
        data,
        out,
        validation=validation,
        settings=settings,
        workers=0,
        progress=False,
        **how,  # type: ignore[arg-type]
    )


@pytest.fixture
def trained(toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path) -> Path:
    return run(toy, real_faces, validation_faces, tmp_path / "run", ["seed=3"])


def test_the_weights_load_as_a_detector(trained: Path, toy: Card):
    assert trained.name == "toy.safetensors"
    net = load_detector("toy", trained)
    assert not net.network.training
    assert net.weights.weights == str(trained)
    assert "3 files" in net.weights.trained_on
    with torch.inference_mode():
        logit = net(torch.zeros(2, 3, 1, 32, 32)).logit
    assert torch.isfinite(logit).all()


def test_the_run_is_written_down(trained: Path, real_faces: Path, toy: Card):
    record = json.loads((trained.parent / "run.json").read_text())
    assert record["detector"] == "toy"
    assert record["settings"] == ["seed=3"]
    assert record["recipe"]["seed"] == 3
    assert record["recipe"].keys() == places().keys()
    assert record["input"]["size"] == [32, 32]
    assert record["args"] == {"width": 4}
    assert record["data"]["path"] == str(real_faces)
    assert record["data"]["train_files"] == record["data"]["train_faces"] == 3
    assert record["data"]["val_files"] == 2
    assert [row["epoch"] for row in record["curve"]] == [0, 1]
    assert all(0 <= row["auc"] <= 1 for row in record["curve"])
    assert record["best"]["auc"] == max(row["auc"] for row in record["curve"])
    assert {"unmask_version", "torch_version", "date", "device", "hours"} <= record.keys()


def test_the_recipe_lies_in_the_checkpoint(trained: Path):
    for name in ("last.ckpt", "best.ckpt"):
        checkpoint = torch.load(trained.parent / name, weights_only=True)
        record = json.loads((trained.parent / "run.json").read_text())
        assert json.loads(json.dumps(checkpoint["card"]["recipe"])) == record["recipe"]


def test_the_weights_are_those_of_the_best_epoch(trained: Path):
    best = torch.load(trained.parent / "best.ckpt", weights_only=True)["state_dict"]
    weights = weights_of(trained)
    assert weights.keys() == {key.removeprefix("net.") for key in best}
    assert all(torch.equal(weights[key.removeprefix("net.")], best[key]) for key in best)


def test_frozen_parts_stay_bit_for_bit_and_the_rest_learns(
    toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    settings = ["epochs=1", "steps_per_epoch=3", "seed=1"]
    learned = weights_of(run(toy, real_faces, validation_faces, tmp_path / "a", settings))
    torch.manual_seed(1)
    fresh = toy.build().state_dict()
    for key, value in learned.items():
        if key.startswith("frozen."):
            assert torch.equal(value, fresh[key]), key
        elif value.is_floating_point():
            assert not torch.equal(value, fresh[key]), key
    assert learned["frozen.1.num_batches_tracked"] == 0
    assert learned["body.1.num_batches_tracked"] == 3
    assert learned["begun"] == 1


def test_a_seed_gives_the_same_weights_and_another_seed_others(
    toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    settings = ["epochs=1"]
    runs = [
        weights_of(run(toy, real_faces, validation_faces, tmp_path / str(i), [*settings, seed]))
        for i, seed in enumerate(["seed=5", "seed=5", "seed=6"])
    ]
    assert all(torch.equal(runs[0][key], runs[1][key]) for key in runs[0])
    assert not torch.equal(runs[0]["head.weight"], runs[2]["head.weight"])


class KilledError(Exception):
    """Stands for a kill from outside."""


def kill_in_epoch(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    from unmask.train.module import DetectorTraining

    original = DetectorTraining.training_step

    def step(self: DetectorTraining, batch: object, number: int) -> torch.Tensor:
        if self.current_epoch == epoch and number == 1:
            raise KilledError
        return original(self, batch, number)  # type: ignore[arg-type]

    monkeypatch.setattr(DetectorTraining, "training_step", step)


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_run_that_was_killed_and_resumed_equals_one_that_was_not(
    toy: Card,
    real_faces: Path,
    validation_faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    schedule: str,
):
    # The best epoch is chosen by the loss: it falls for longer than a coarse AUC rises.
    settings = ["epochs=4", f"schedule={schedule}", "monitor=negative_loss", "optimizer=adamw"]
    whole = run(toy, real_faces, validation_faces, tmp_path / "whole", settings)
    with monkeypatch.context() as patch:
        kill_in_epoch(patch, 2)
        with pytest.raises(KilledError):
            run(toy, real_faces, validation_faces, tmp_path / "cut", settings)
    assert not (tmp_path / "cut" / "toy.safetensors").exists()
    resumed = run(toy, real_faces, validation_faces, tmp_path / "cut", resume=True)
    states = [
        torch.load(path.parent / "last.ckpt", weights_only=True)["state_dict"]
        for path in (whole, resumed)
    ]
    for key, value in states[0].items():
        torch.testing.assert_close(states[1][key], value, rtol=0, atol=1e-6)
    for key, value in weights_of(whole).items():
        torch.testing.assert_close(weights_of(resumed)[key], value, rtol=0, atol=1e-6)
    records = [json.loads((path.parent / "run.json").read_text()) for path in (whole, resumed)]
    assert [row["epoch"] for row in records[1]["curve"]] == [0, 1, 2, 3]
    for a, b in zip(records[0]["curve"], records[1]["curve"], strict=True):
        assert b == pytest.approx(a, abs=1e-6)
    assert records[1]["recipe"] == records[0]["recipe"]
    assert records[1]["settings"] == settings


def test_a_resumed_run_does_not_begin_anew(
    toy: Card,
    real_faces: Path,
    validation_faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    with monkeypatch.context() as patch:
        kill_in_epoch(patch, 1)
        with pytest.raises(KilledError):
            run(toy, real_faces, validation_faces, tmp_path / "run", ["epochs=2"])
    path = run(toy, real_faces, validation_faces, tmp_path / "run", resume=True)
    assert weights_of(path)["begun"] == 1


def test_early_stop(toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path):
    settings = ["epochs=20", "patience=2", "learning_rate=0.0", "monitor=negative_loss"]
    path = run(toy, real_faces, validation_faces, tmp_path / "run", [*settings, "freeze=()"])
    curve = json.loads((path.parent / "run.json").read_text())["curve"]
    assert 3 <= len(curve) < 20


def test_it_learns_what_is_easy(toy: Card, labelled_faces: Path, tmp_path: Path):
    """Blue faces are the forged ones: found without any pseudo-forgery."""
    settings = ["synthesize=none", "augment=none", "epochs=6", "steps_per_epoch=6"]
    settings += ["learning_rate=0.03", "freeze=()", "batch_size=8"]
    path = run(toy, labelled_faces, labelled_faces, tmp_path / "run", settings)
    record = json.loads((path.parent / "run.json").read_text())
    assert record["best"]["auc"] > 0.9
    assert record["data"]["train_forged_files"] == 3


def test_the_curve_is_reported(toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path):
    lines: list[str] = []
    train(
        "toy",
        real_faces,
        tmp_path / "run",
        validation=validation_faces,
        settings=["epochs=1"],
        workers=0,
        progress=False,
        report=lines.append,
    )
    assert lines[0] == "Faces for train: 3 of 3 files"
    assert lines[-2].startswith("Best epoch 0: AUC ")
    assert "until they are calibrated: unmask calibrate DATA -d " in lines[-1]


@pytest.mark.parametrize("content", ["file", "folder"])
def test_an_existing_run_is_not_overwritten(
    toy: Card, real_faces: Path, tmp_path: Path, content: str
):
    out = tmp_path / "run"
    if content == "folder":
        out.mkdir()
        (out / "notes.txt").write_text("mine")
    else:
        out.write_text("mine")
    with pytest.raises(OutputError, match=r"run folder .* exists and is not empty.*--resume"):
        run(toy, real_faces, None, out)
    kept = out / "notes.txt" if content == "folder" else out
    assert kept.read_text() == "mine"


def test_an_empty_folder_may_be_used(
    toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    (tmp_path / "run").mkdir()
    assert run(
        toy, real_faces, validation_faces, tmp_path / "run", ["epochs=1", "steps_per_epoch=1"]
    ).is_file()


def test_a_folder_that_cannot_be_made_is_told(toy: Card, real_faces: Path, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot make the run folder"):
        run(toy, real_faces, None, tmp_path / "file" / "run")


def test_nothing_to_resume_is_told(toy: Card, real_faces: Path, tmp_path: Path):
    with pytest.raises(OutputError, match=r"Cannot resume .*no last\.ckpt.*into another folder"):
        run(toy, real_faces, None, tmp_path / "run", resume=True)


def test_data_without_forgeries_for_a_recipe_that_needs_them(
    toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    with pytest.raises(DataError, match="both are needed"):
        run(toy, real_faces, validation_faces, tmp_path / "run", ["synthesize=none"])


def test_too_little_data_for_a_validation_part(toy: Card, face_image_file: Path, tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.png").write_bytes(face_image_file.read_bytes())
    with pytest.raises(DataError, match=r"No file fell into the split '(val|train)'"):
        run(toy, folder, None, tmp_path / "run")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "freeze=('frosen',)",
            r"Cannot use freeze of 'frosen': toy has no such part\. Its parts: ",
        ),
        ("learning_rates={'haed': 0.1}", "Cannot use learning_rates of 'haed'"),
        (
            "start=stert",
            r"Cannot set start='stert': expected true or false\.",
        ),
    ],
)
def test_a_misspelled_part_is_told(
    toy: Card,
    real_faces: Path,
    validation_faces: Path,
    tmp_path: Path,
    setting: str,
    message: str,
):
    with pytest.raises(UsageError, match=message):
        run(toy, real_faces, validation_faces, tmp_path / "run", [setting])


@pytest.mark.parametrize("missing", ["lightning", "sklearn.metrics"])
def test_a_missing_extra_is_told(
    toy: Card, real_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
):
    def without(module: str, extra: str) -> None:
        if module == missing:
            raise MissingDependencyError(f"{module}: pip install 'unmask[{extra}]'")

    monkeypatch.setattr(run_module, "import_optional", without)
    with pytest.raises(MissingDependencyError, match=rf"{missing}: .*unmask\[train\]"):
        run(toy, real_faces, None, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_rates_and_decay_go_to_the_parts_they_name(toy: Card):
    from unmask.train.module import DetectorTraining

    card = dataclasses.replace(
        toy,
        recipe=toy.recipe.changed(
            {
                "learning_rates": {"body": 0.1, "body.1": 0.2},
                "weight_decay": 0.05,
                "optimizer": "adamw",
                "freeze": ("frozen",),
            }
        ),
    )
    module = DetectorTraining(card, _Numbers(), _Numbers(), 0)  # type: ignore[arg-type]
    optimizer = module.configure_optimizers()
    names = {id(p): name for name, p in module.net.named_parameters()}
    found = {
        names[id(p)]: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for p in group["params"]
    }
    assert found == {
        "body.0.weight": (0.1, 0.05),
        "body.0.bias": (0.1, 0.0),
        "body.1.weight": (0.2, 0.0),
        "body.1.bias": (0.2, 0.0),
        "head.weight": (0.01, 0.05),
        "head.bias": (0.01, 0.0),
    }


@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd"])
def test_the_optimizer_is_the_recipes(toy: Card, kind: str):
    from unmask.train.module import DetectorTraining

    recipe = toy.recipe.changed({"optimizer": kind, "momentum": 0.9, "betas": (0.5, 0.6)})
    module = DetectorTraining(dataclasses.replace(toy, recipe=recipe), _Numbers(), _Numbers(), 0)  # type: ignore[arg-type]
    optimizer = module.configure_optimizers()
    assert type(optimizer).__name__.lower() == kind
    if kind == "sgd":
        assert optimizer.defaults["momentum"] == 0.9
    else:
        assert optimizer.defaults["betas"] == (0.5, 0.6)


class _Numbers:
    """Stands for pairs where only their count matters."""

    clips_per_item = 2

    def __len__(self) -> int:
        return 4


def test_a_run_goes_on_from_given_weights(
    trained: Path, toy: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    # With a learning rate of 0 the result is where the run began.
    weights = train(
        toy.name,
        real_faces,
        tmp_path / "second",
        validation=validation_faces,
        weights=trained,
        settings=["learning_rate=0.0", "epochs=1", "weight_decay=0.0"],
        workers=0,
        progress=False,
    )
    before, after = weights_of(trained), weights_of(weights)
    learned = [key for key, _ in toy.build().named_parameters()]
    assert learned and all(torch.equal(before[key], after[key]) for key in learned)
    assert json.loads((tmp_path / "second" / "run.json").read_text())["weights"] == str(trained)
