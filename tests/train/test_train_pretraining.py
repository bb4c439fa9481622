"""Pretraining pretraining: classes, teacher, result, resume, refusals."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pretraining_toys import (
    COLORS,
    PAINTER,
    TINTS,
    ColorReader,
    Painter,
    write_expressions,
    write_words,
)
from safetensors.torch import load_file

import toy_detectors
from unmask.checkpoints import read_metadata
from unmask.detectors import Card, build, detector
from unmask.errors import (
    DataError,
    OutputError,
    UnknownNameError,
    UsageError,
    WeightsError,
    WrongVariantError,
)
from unmask.prepare import PrepareSpec, prepare
from unmask.train import Source, train
from unmask.train.class_module import ClassTraining
from unmask.train.class_samples import ClassBatch, ClassSamples
from unmask.train.pretraining import PRETRAINING_FILE, pretrain
from unmask.types import Pixels
from unmask.weights import load_detector

LONG = ("epochs=6", "steps_per_epoch=6", "batch_size=6")


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Card:
    toy_detectors.own_registry(monkeypatch)
    detector(PAINTER)(Painter)
    return PAINTER


@pytest.fixture(scope="session")
def expressions(
    tmp_path_factory: pytest.TempPathFactory, faces: Callable[..., list[Pixels]]
) -> Path:
    """Three classes of three faces, told apart by their color."""
    return write_expressions(tmp_path_factory.mktemp("expressions"), faces(3, 200))


def run(
    data: Path | Source,
    out: Path,
    *settings: str,
    pretraining: str = "colors",
    validation: Path | None = None,
    teacher: Path | None = None,
    weights: Path | None = None,
    resume: bool = False,
    devices: int = 1,
    report: Callable[[str], None] = lambda line: None,
) -> Path:
    return pretrain(
        "painter",
        pretraining,
        data,
        out,
        validation=validation,
        teacher=teacher,
        weights=weights,
        settings=settings,
        resume=resume,
        devices=devices,
        workers=0,
        progress=False,
        report=report,
    )


def record_in(folder: Path) -> dict[str, object]:
    record: dict[str, object] = json.loads((folder / "run.json").read_text())
    return record


def curve_in(folder: Path) -> list[dict[str, float]]:
    curve: list[dict[str, float]] = torch.load(folder / "last.ckpt", weights_only=True)["curve"]
    return curve


def test_it_learns_the_classes(painter: Card, expressions: Path, tmp_path: Path):
    lines: list[str] = []
    path = run(expressions, tmp_path / "run", *LONG, report=lines.append)
    curve = curve_in(tmp_path / "run")
    assert curve[-1]["train_loss"] < 0.7 * curve[0]["train_loss"]
    assert max(row["accuracy"] for row in curve) == 1.0
    assert lines[-1].endswith(
        f"100.0% of 3 classes right. Go on with: unmask train painter --weights {path}"
    )


def test_the_run_is_written_down_with_sorted_classes(
    painter: Card, expressions: Path, tmp_path: Path
):
    path = run(expressions, tmp_path / "run", "seed=3")
    record = record_in(tmp_path / "run")
    assert record["detector"] == "painter" and record["pretraining"] == "colors"
    assert record["classes"] == sorted(TINTS) == ["anger", "happiness", "surprise"]
    assert record["settings"] == ["seed=3"]
    assert record["recipe"]["learning_rate"] == COLORS.recipe.optimizer.learning_rate  # type: ignore[index]
    assert record["teacher"] is None and record["weights"] is None
    assert record["data"]["train_files"] == 6  # type: ignore[index]
    assert record["best"]["accuracy"] == max(  # type: ignore[index]
        row["accuracy"] for row in curve_in(tmp_path / "run")
    )
    for file in (path, path.with_name(PRETRAINING_FILE)):
        metadata = read_metadata(file)
        assert metadata["pretraining"] == "colors"
        assert json.loads(metadata["classes"]) == record["classes"]


def test_the_result_is_the_detector_with_what_was_learned(
    painter: Card, expressions: Path, tmp_path: Path
):
    path = run(expressions, tmp_path / "run")
    assert path == tmp_path / "run" / "painter.safetensors"
    net = load_detector("painter", path)
    assert "start for training, not a detector" in net.weights.trained_on  # type: ignore[union-attr]
    learned = load_file(tmp_path / "run" / PRETRAINING_FILE)
    assert learned["head.weight"].shape == (3, 8)
    torch.manual_seed(0)
    fresh = build(PAINTER).state_dict()
    for key, value in net.network.state_dict().items():
        expected = learned[key] if key.startswith("body.") else fresh[key]
        assert torch.equal(value, expected), key
    assert not torch.equal(learned["body.0.weight"], fresh["body.0.weight"])


def test_training_starts_from_the_pretraining(
    painter: Card, expressions: Path, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    first = run(expressions, tmp_path / "first", "width=5")
    # With a learning rate of 0 the result is where the run began.
    second = train(
        "painter",
        real_faces,
        tmp_path / "second",
        validation=validation_faces,
        weights=first,
        settings=["synthesize=self_blend", "width=5"],
        workers=0,
        progress=False,
    )
    before, after = load_file(first), load_file(second)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_weights_of_other_arguments_are_told(
    painter: Card, expressions: Path, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    first = run(expressions, tmp_path / "first")
    with pytest.raises(WeightsError, match=r"body\.0\.weight is \(8, .*changed by --set: give"):
        train(
            "painter",
            real_faces,
            tmp_path / "second",
            validation=validation_faces,
            weights=first,
            settings=["synthesize=self_blend", "width=5"],
            workers=0,
            progress=False,
        )


def test_what_pretraining_does_not_train_can_come_from_weights(
    painter: Card, expressions: Path, tmp_path: Path
):
    first = run(expressions, tmp_path / "first", "seed=7")
    second = run(expressions, tmp_path / "second", weights=first)
    before, after = load_file(first), load_file(second)
    assert torch.equal(before["head.weight"], after["head.weight"])
    assert not torch.equal(before["body.0.weight"], after["body.0.weight"])
    assert record_in(tmp_path / "second")["weights"] == str(first)


class KilledError(Exception):
    """Stands for a kill from outside."""


def kill_in_epoch(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    original = ClassTraining.training_step

    def step(self: ClassTraining, batch: ClassBatch, number: int) -> torch.Tensor:
        if self.current_epoch == epoch and number == 1:
            raise KilledError
        return original(self, batch, number)

    monkeypatch.setattr(ClassTraining, "training_step", step)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["cosine", "step", "plateau"])
def test_a_run_that_was_killed_and_resumed_equals_one_that_was_not(
    painter: Card,
    expressions: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    schedule: str,
):
    settings = ("epochs=4", f"schedule={schedule}", "schedule_epochs=1", "mixup=0.4")
    settings += ("learning_rate=0.05", "sampling=stratified", "monitor=negative_loss")
    taught = run(expressions, tmp_path / "teacher").with_name(PRETRAINING_FILE)
    whole = run(expressions, tmp_path / "whole", *settings, teacher=taught)
    with monkeypatch.context() as patch:
        kill_in_epoch(patch, 2)
        with pytest.raises(KilledError):
            run(expressions, tmp_path / "cut", *settings, teacher=taught)
    assert not (tmp_path / "cut" / PRETRAINING_FILE).exists()
    resumed = run(expressions, tmp_path / "cut", resume=True)
    for name in (whole.name, PRETRAINING_FILE):
        states = [load_file(path.with_name(name)) for path in (whole, resumed)]
        for key, value in states[0].items():
            torch.testing.assert_close(states[1][key], value, rtol=0, atol=1e-6)
    assert record_in(tmp_path / "cut")["teacher"] == str(taught)
    for a, b in zip(curve_in(tmp_path / "whole"), curve_in(tmp_path / "cut"), strict=True):
        assert b == pytest.approx(a, abs=1e-6)


def test_a_resumed_run_overwrites_its_own_result(painter: Card, expressions: Path, tmp_path: Path):
    run(expressions, tmp_path / "run", "epochs=1")
    run(expressions, tmp_path / "run", "epochs=3", resume=True)
    assert [row["epoch"] for row in curve_in(tmp_path / "run")] == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_processes_learn_what_one_learns(painter: Card, expressions: Path, tmp_path: Path):
    taught = run(expressions, tmp_path / "teacher").with_name(PRETRAINING_FILE)
    one = run(expressions, tmp_path / "one", "augment=none", teacher=taught)
    two = run(expressions, tmp_path / "two", "augment=none", teacher=taught, devices=2)
    states = [load_file(path.with_name(PRETRAINING_FILE)) for path in (one, two)]
    for key, value in states[0].items():
        torch.testing.assert_close(states[1][key], value, rtol=0, atol=1e-5)
    for a, b in zip(curve_in(tmp_path / "one"), curve_in(tmp_path / "two"), strict=True):
        assert b["accuracy"] == a["accuracy"]
        assert b["negative_loss"] == pytest.approx(a["negative_loss"], abs=1e-5)


def class_training(teacher: torch.nn.Module | None = None, mixup: float = 0.0) -> ClassTraining:
    recipe = COLORS.recipe.changed({"mixup": mixup})
    card = dataclasses.replace(PAINTER, recipe=recipe)
    samples: ClassSamples = []  # type: ignore[assignment]
    torch.manual_seed(0)
    return ClassTraining(card, COLORS, 3, samples, samples, 0, teacher=teacher)


def some_batch() -> ClassBatch:
    torch.manual_seed(1)
    pixels = torch.randint(0, 256, (4, 1, 32, 32, 3), dtype=torch.uint8)
    return ClassBatch(pixels, torch.tensor([0, 1, 2, 1]), torch.arange(4))


def test_a_teacher_changes_the_loss_and_gets_no_gradient(painter: Card):
    teacher = ColorReader(8, 3)
    alone, taught = class_training(), class_training(teacher)
    batch = some_batch()
    loss = taught.loss_of(batch)
    assert loss.item() > alone.loss_of(batch).item() + 1e-4
    loss.backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert all(p.grad is not None for p in taught.net.parameters())
    assert not teacher.training
    # A teacher that is the student itself adds nothing.
    same = class_training()
    own = class_training(same.net)
    assert own.loss_of(batch).item() == pytest.approx(same.loss_of(batch).item())
    assert not any("teacher" in key for key in taught.state_dict())


def test_mixup_mixes_clips_and_their_losses(painter: Card, monkeypatch: pytest.MonkeyPatch):
    module, batch = class_training(mixup=0.4), some_batch()
    seen: list[torch.Tensor] = []
    module.net.register_forward_hook(lambda _net, args, _out: seen.append(args[0]))
    torch.manual_seed(5)
    loss = module.loss_of(batch)
    torch.manual_seed(5)
    share = float(torch.distributions.Beta(0.4, 0.4).sample())
    order = torch.randperm(4)
    clips = (batch.pixels.permute(0, 4, 1, 2, 3) / 255 - 0.5) / 0.5
    mixed = share * clips + (1 - share) * clips[order]
    torch.testing.assert_close(seen[0], mixed)
    logits = module.net(mixed)
    entropy = torch.nn.functional.cross_entropy
    expected = share * entropy(logits, batch.label)
    expected = expected + (1 - share) * entropy(logits, batch.label[order])
    torch.testing.assert_close(loss, expected)
    assert 0 < share < 1 and not torch.equal(order, torch.arange(4))


def test_clips_of_several_frames_are_read_from_words(
    painter: Card, faces: Callable[..., list[Pixels]], tmp_path: Path
):
    root = write_words(tmp_path / "words", ("SAY", "ABOUT"), faces(6, 160))
    run(root, tmp_path / "run", "input.frames=4", "input.fps=none", pretraining="moving")
    record = record_in(tmp_path / "run")
    assert record["classes"] == ["ABOUT", "SAY"]
    assert record["input"]["frames"] == 4  # type: ignore[index]
    assert all(math.isfinite(row["train_loss"]) for row in curve_in(tmp_path / "run"))


def sequences_of(data: Path, folder: Path) -> list[object]:
    rows = Source(path=data, dataset="affectnet").rows()
    found = prepare([row for row in rows if row.split == "train"], folder, PrepareSpec(sequences=1))
    return list(found.sequences)


@pytest.mark.parametrize("sampling", ["stratified", "balanced"])
def test_what_an_epoch_draws(expressions: Path, tmp_path: Path, sampling: str):
    sequences = sequences_of(expressions, tmp_path / "faces")
    lopsided = [s for s in sequences if s.video.method == "anger"][:1] + [  # type: ignore[attr-defined]
        s
        for s in sequences
        if s.video.method == "surprise"  # type: ignore[attr-defined]
    ]
    recipe = COLORS.recipe.changed({"sampling": sampling, "steps_per_epoch": None})
    names = ["anger", "surprise"]
    samples = ClassSamples(lopsided, names, PAINTER.input, recipe, 0)  # type: ignore[arg-type]
    assert len(samples) == 3
    drawn = [int(samples[number].label) for number in range(30)]
    if sampling == "stratified":
        assert drawn.count(0) == 10  # one file of three, ten epochs
    else:
        assert drawn.count(0) == pytest.approx(15, abs=7)
    again, other = samples[4], samples[5]
    assert torch.equal(again.pixels, samples[4].pixels)
    assert again.pixels.shape == (1, 1, 32, 32, 3) and again.pixels.dtype == torch.uint8
    assert int(again.item) == 4 and int(other.item) == 5


def test_a_prepared_folder_serves(painter: Card, expressions: Path, tmp_path: Path):
    rows = Source(path=expressions, dataset="affectnet").rows()
    prepare(rows, tmp_path / "faces", PrepareSpec(sequences=1))
    run(tmp_path / "faces", tmp_path / "run")
    assert record_in(tmp_path / "run")["classes"] == sorted(TINTS)


def test_an_unknown_pretraining_lists_the_known_ones(
    painter: Card, expressions: Path, tmp_path: Path
):
    message = (
        r"Unknown pretraining of painter 'color'\. Did you mean 'colors'\? Known: colors, moving"
    )
    with pytest.raises(UnknownNameError, match=message):
        run(expressions, tmp_path / "run", pretraining="color")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("key", ["synthesize", "freeze", "needs_masks", "epoch"])
def test_settings_without_a_meaning_for_pretraining_are_refused(
    painter: Card, expressions: Path, tmp_path: Path, key: str
):
    with pytest.raises(UnknownNameError, match=rf"Unknown setting '{key}'.*epochs.*mixup.*width"):
        run(expressions, tmp_path / "run", f"{key}=none")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "monitor=auc",
            r"Cannot choose the best epoch of a pretraining by 'auc'.*monitor=accuracy or",
        ),
        ("sampling=pairs", r"Cannot use sampling='pairs': pretraining has classes.*'stratified'"),
        ("augment=chop", "Unknown augment='chop'"),
        ("epochs=0", "at least 1"),
        ("mixup=-1.0", r"Cannot set mixup=-1\.0: expected 0 \(none\) or more"),
    ],
)
def test_settings_that_do_not_fit_are_told(
    painter: Card, expressions: Path, tmp_path: Path, setting: str, message: str
):
    with pytest.raises(UsageError, match=message):
        run(expressions, tmp_path / "run", setting)


def test_one_class_is_refused(painter: Card, faces: Callable[..., list[Pixels]], tmp_path: Path):
    data = write_expressions(tmp_path / "data", faces(2, 200), {"anger": 0})
    with pytest.raises(DataError, match=r"hold one class \('anger'\); at least 2 are needed"):
        run(data, tmp_path / "run")


def test_no_class_is_refused(painter: Card, real_faces: Path, tmp_path: Path):
    source = Source(path=real_faces)
    with pytest.raises(DataError, match=r"6 of 6 files in .* bear no class, '.*\.png' first"):
        pretrain("painter", "colors", source, tmp_path / "run", validation=source)
    empty = write_expressions(tmp_path / "data", [], {"anger": 0})
    (empty / "val" / "anger").mkdir(parents=True)
    (empty / "val" / "anger" / "a.png").touch()
    with pytest.raises(DataError, match="hold no class; at least 2 are needed"):
        run(empty, tmp_path / "other")


def test_a_class_that_only_validation_has_is_told(
    painter: Card, expressions: Path, faces: Callable[..., list[Pixels]], tmp_path: Path
):
    other = write_expressions(tmp_path / "data", faces(2, 200), {"anger": 0, "fear": 1})
    message = r"Validation holds 1 classes that training lacks, 'fear' first\. Give data"
    with pytest.raises(DataError, match=message):
        run(expressions, tmp_path / "run", validation=other)


def test_a_class_without_a_face_is_told(
    painter: Card,
    faces: Callable[..., list[Pixels]],
    bars: Callable[..., list[Pixels]],
    tmp_path: Path,
):
    data = write_expressions(tmp_path / "data", faces(3, 200), {"anger": 0, "fear": 1})
    write_expressions(data, bars(2), {"no_face": 0})
    lines: list[str] = []
    run(data, tmp_path / "run", "epochs=1", report=lines.append)
    assert (
        "No face was found in the training files of 'no_face' (1 of 3 classes): nothing can be "
        "learned of them."
    ) in lines


def test_faces_are_needed_on_both_sides(painter: Card):
    with pytest.raises(DataError, match="no face for one of the splits train and val"):
        ClassSamples([], ["a", "b"], PAINTER.input, COLORS.recipe, 0)


def test_an_existing_run_is_not_overwritten(painter: Card, expressions: Path, tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"run folder .* exists and is not empty.*--resume"):
        run(expressions, tmp_path / "run")


def test_other_data_do_not_resume_a_run(
    painter: Card, expressions: Path, faces: Callable[..., list[Pixels]], tmp_path: Path
):
    run(expressions, tmp_path / "run", "epochs=1")
    other = write_expressions(tmp_path / "data", faces(2, 200), {"anger": 0, "fear": 1})
    message = r"the run knows 3 classes, .* hold 2 \(new: 'fear'; missing: 'happiness', 'surprise'"
    with pytest.raises(DataError, match=message):
        run(other, tmp_path / "run", resume=True)


def test_a_teacher_of_other_classes_is_refused(
    painter: Card, expressions: Path, faces: Callable[..., list[Pixels]], tmp_path: Path
):
    taught = run(expressions, tmp_path / "first").with_name(PRETRAINING_FILE)
    other = write_expressions(tmp_path / "data", faces(2, 200), {"anger": 0, "fear": 1})
    message = r"tells other classes apart: it knows 3, the data hold 2 \(new: 'fear'; missing: "
    with pytest.raises(WrongVariantError, match=message):
        run(other, tmp_path / "run", teacher=taught)


def test_what_is_no_teacher_is_refused(painter: Card, expressions: Path, tmp_path: Path):
    first = run(expressions, tmp_path / "first")
    with pytest.raises(
        WeightsError, match=rf"cannot teach painter, pretraining colors: .*{PRETRAINING_FILE}"
    ):
        run(expressions, tmp_path / "a", teacher=first)
    with pytest.raises(WeightsError, match="it is of painter, pretraining colors"):
        run(
            Source(path=expressions, dataset="affectnet"),
            tmp_path / "b",
            pretraining="moving",
            teacher=first.with_name(PRETRAINING_FILE),
        )
    with pytest.raises(
        WeightsError, match=r"do not fit painter, pretraining colors: .*of wrong shape"
    ):
        run(expressions, tmp_path / "c", "width=5", teacher=first.with_name(PRETRAINING_FILE))
    with pytest.raises(
        WeightsError, match=rf"Cannot find the teacher '.*'\. Give the {PRETRAINING_FILE}"
    ):
        run(expressions, tmp_path / "d", teacher=tmp_path / "none.safetensors")
    with pytest.raises(WeightsError, match="are for detector 'painter, pretraining colors'"):
        load_detector("painter", first.with_name(PRETRAINING_FILE))
