"""Each kind of protocol runs on a tiny tree with a detector of one multiplication."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import toy_detectors
from dataset_trees import write_faceforensics
from unmask.checkpoints import save_weights
from unmask.datasets import read_dataset
from unmask.detectors import detector, get_card
from unmask.detectors.card import Ablation
from unmask.evaluate.data import Data
from unmask.evaluate.scores import read_clips, read_scores
from unmask.evaluate.tables import fit_threshold
from unmask.metrics.calibration import log_loss
from unmask.metrics.threshold import balanced_accuracy
from unmask.papers import measure as measure_module
from unmask.papers.measure import run_protocol
from unmask.papers.plot import draw_protocol
from unmask.papers.registry import get_protocol
from unmask.papers.show import show_protocol, to_json
from unmask.papers.trainings import trainings
from unmask.types import InputSpec

METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    ids = (("000", "003"), ("011", "012"), ("720", "672"))
    root = tmp_path_factory.mktemp("ff")
    return write_faceforensics(root, ids, METHODS, ("c23",), frames=8, with_masks=False)


@pytest.fixture(scope="module")
def data(tree):
    return [Data(read_dataset("faceforensics", tree), tree)]


@pytest.fixture(autouse=True)
def own_detectors(monkeypatch):
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")


@pytest.fixture
def weights(tmp_path_factory):
    """Makes a file of weights with some gain and offset."""
    folder = tmp_path_factory.mktemp("weights")

    def make(gain, offset=0.0, **changed):
        path = folder / f"{gain}_{offset}_{len(changed)}.safetensors"
        if not changed:
            return toy_detectors.weights_file(path, "bright", gain, offset)
        state = {"gain": torch.tensor(gain), "offset": torch.tensor(offset)}
        spec = dataclasses.replace(toy_detectors.SPEC, **changed)
        about = {"detector": "bright", "tag": "t", "license": "MIT", "trained_on": "nothing"}
        return save_weights(state, path, input=spec, **about)

    return make


def only(protocol, *columns):
    """The protocol with the cells of some columns."""
    kept = tuple(cell for cell in protocol.cells if cell.column in columns)
    assert {cell.column for cell in kept} == set(columns)
    return dataclasses.replace(protocol, cells=kept, published=())


def on_c23(protocol):
    """The protocol at the one level that the tree has."""
    cells = tuple(dataclasses.replace(cell, compression="c23") for cell in protocol.cells)
    return dataclasses.replace(protocol, cells=cells, train_compression="c23")


def values_of(ours):
    return [figure.value for figure in ours.values]


def test_robustness_is_the_mean_over_severities(tmp_path, data, weights):
    protocol = on_c23(only(get_protocol("lipforensics/table3"), "sat", "con"))
    severe = tuple(cell for cell in protocol.cells if cell.condition[-1] in "15")
    protocol = dataclasses.replace(protocol, cells=severe)
    assert protocol.headings == ("sat", "con", "avg")
    given = {"bright": weights(1.0)}
    (ours,) = run_protocol(protocol, data, ["bright"], tmp_path, weights=given, resamples=30)
    scores = read_scores(tmp_path)
    found = {}
    for condition in sorted({row.key.condition for row in scores}):
        rows = [row for row in scores if row.key.condition == condition]
        found[condition.removesuffix(", first 110")] = roc_auc_score(
            [r.label for r in rows], [r.score for r in rows]
        )
    assert set(found) == {"saturation 1", "saturation 5", "contrast 1", "contrast 5"}
    sat, con, mean = values_of(ours)
    assert sat == pytest.approx((found["saturation 1"] + found["saturation 5"]) / 2)
    assert con == pytest.approx((found["contrast 1"] + found["contrast 5"]) / 2)
    assert mean == pytest.approx((sat + con) / 2)
    assert ours.values[2].low <= mean <= ours.values[2].high


def test_severities_are_drawn_as_curves(tmp_path, data, weights):
    protocol = on_c23(only(get_protocol("lipforensics/figure4"), "con 1", "con 5", "avg 5"))
    kept = tuple(cell for cell in protocol.cells if "contrast" in cell.condition)
    protocol = dataclasses.replace(protocol, cells=kept)
    given = {"bright": weights(1.0)}
    (ours,) = run_protocol(protocol, data, ["bright"], tmp_path, weights=given, resamples=30)
    assert ours.values[1] == ours.values[2]
    files = draw_protocol(protocol, [ours], tmp_path)
    assert [file.name for file in files] == ["lipforensics-figure4.svg", "lipforensics-figure4.png"]
    drawn = files[0].read_text()
    assert "severity" in drawn and "bright con" in drawn and "bright avg" in drawn


def test_the_drop_is_the_mean_fall_of_the_balanced_accuracy(tmp_path, data, weights):
    protocol = only(get_protocol("spatio_temporal/table1"), "drop")
    protocol = dataclasses.replace(protocol, threshold="balanced")
    names = ["all", *(f"without-{method}" for method in METHODS)]
    files = [weights(gain, offset) for gain, offset in ((1.0, 0), (-1.0, 0.1), (2.0, 0.5))]
    given = {f"bright:{name}": files[n % 3] for n, name in enumerate(names)}
    (ours,) = run_protocol(protocol, data, ["bright"], tmp_path, weights=given, resamples=30)
    scores = read_scores(tmp_path)
    found = {}
    for number, name in enumerate(names):
        (sha256,) = {
            s.key.weights_sha256
            for s in scores
            if s.key.weights_sha256 == shas(scores, files)[number % 3]
        }
        mine = [s for s in scores if s.key.weights_sha256 == sha256]
        out = name.removeprefix("without-")
        fitted = [s for s in mine if s.key.split == "val" and s.key.method != out]
        test = [s for s in mine if s.key.split == "test"]
        threshold = fit_threshold(fitted)
        labels, logits = [s.label for s in test], [s.score for s in test]
        found[name] = balanced_accuracy(labels, logits, threshold)
    falls = [found[name] - found["all"] for name in names[1:]]
    assert any(falls)
    assert values_of(ours) == [pytest.approx(np.mean(falls))]


def shas(scores, files):
    from unmask.weights import load_detector

    return [load_detector("bright", file).weights.sha256 for file in files]


def test_a_training_that_is_missing_is_named_with_its_command(tmp_path, data, weights):
    protocol = get_protocol("spatio_temporal/table3")
    given = {"bright:without-models": weights(1.0)}
    (ours,) = run_protocol(protocol, data, ["bright"], tmp_path, weights=given, resamples=30)
    found = dict(zip(protocol.headings, ours.values, strict=True))
    assert found["models: F2F"].value is not None
    both = (found["models: F2F"].value + found["models: FS"].value) / 2
    assert found["models: avg"].value == pytest.approx(both)
    assert found["swap: DF"].note == (
        "no weights: needs a training without-swap; give -w bright:without-swap=FILE"
    )
    text = show_protocol(protocol, data, [ours])
    root = data[0].root
    assert (
        f"unmask train bright --data {root} --dataset faceforensics --compression c23 "
        "--method Face2Face --method NeuralTextures -o runs/bright-without-swap"
    ) in text
    assert "runs/bright-without-models" not in text


def test_weights_that_a_training_only_starts_from_are_not_measured(
    tmp_path, data, weights, monkeypatch
):
    protocol = only(on_c23(get_protocol("lipforensics/table2")), "FSh")
    file, load = weights(1.0), measure_module.load_detector

    def start(name, given, device):
        net = load(name, given or file, device)
        card = dataclasses.replace(net.card, starts_from=net.weights.weights)
        return dataclasses.replace(net, card=card)

    monkeypatch.setattr(measure_module, "load_detector", start)
    (ours,) = run_protocol(protocol, data, ["bright"], tmp_path / "a", resamples=30)
    assert ours.values[0].note.startswith("no weights: needs a training")
    given = {"bright": file}
    (ours,) = run_protocol(protocol, data, ["bright"], tmp_path / "b", weights=given, resamples=30)
    assert ours.values[0].value is not None


def test_ablations_are_rows(tmp_path, data, weights, monkeypatch):
    table = "two_branch/table1b"
    card = get_card("bright")
    rows = (
        Ablation(row="plain", tables=(table,)),
        Ablation(row="less", tables=(table,), settings=("gain=0",), compressions=("c40",)),
    )
    changed = dataclasses.replace(card, ablations=rows)
    detector(changed)(type(changed.build()))
    cells = only(get_protocol(table), "tAUC@10%", "TAR@1%").cells
    cells = (dataclasses.replace(cells[0], metric="AUC"), cells[1])
    protocol = dataclasses.replace(get_protocol(table), cells=cells, published=())
    assert [(t.key, t.row, t.settings, t.compressions) for t in trainings(protocol, changed)] == [
        ("bright", "plain", (), ("c23",)),
        ("bright:less", "less", ("gain=0",), ("c40",)),
    ]
    given = {"bright": weights(1.0), "bright:less": weights(-1.0)}
    options = {"weights": given, "resamples": 30, "is_strict": False}
    ours = run_protocol(protocol, data, ["bright"], tmp_path, **options)
    assert [one.row for one in ours] == ["plain", "less"]
    assert ours[0].values[0].value + ours[1].values[0].value == 1
    assert len({row.key.weights_sha256 for row in read_scores(tmp_path)}) == 2
    assert "Not measurable: " in ours[0].values[1].note
    text = show_protocol(protocol, data, ours)
    assert "| ours: bright, plain | " in text
    assert "| ours: bright, less | " in text


def test_clip_lengths_come_with_their_weights(tmp_path, data, weights):
    protocol = only(get_protocol("lipforensics/figure5-right"), "FSh 5", "FSh 10")
    given = {
        "bright:5-frames": weights(1.0, frames=1),
        "bright:10-frames": weights(1.0, frames=2, fps=25.0, hop=2),
    }
    options = {"weights": given, "resamples": 30, "is_strict": False}
    (ours,) = run_protocol(protocol, data, ["bright"], tmp_path, **options)
    assert None not in values_of(ours)
    counts = {}
    for row in read_scores(tmp_path):
        counts.setdefault(row.key.weights_sha256, set()).add(sum(f.clips for f in row.faces))
    assert sorted(counts.values(), key=min) == [{2}, {4}]
    drawn = draw_protocol(protocol, [ours], tmp_path)[0].read_text()
    assert "frames of a clip" in drawn


def test_diversity_and_size_have_a_training_each():
    card = get_card("bright")
    diversity = trainings(get_protocol("lipforensics/figure5-left"), card)
    assert [len(t.methods) for t in diversity] == [1, 2, 3, 4, 4]
    assert "FaceSwap" not in {method for t in diversity for method in t.methods}
    assert diversity[-1].command() == (
        "unmask train bright --data LIST.csv --dataset csv -o runs/bright-5-methods"
        "  # LIST.csv names the videos of faceforensics and deeper_forensics_ff"
    )
    sizes = trainings(get_protocol("emd/figure6"), card)
    assert [t.videos for t in sizes] == [10, 50, 100, 200, 300, 700] * 2
    assert "--videos 300" in sizes[4].command()
    assert sizes[0] != sizes[1]


def test_frame_orders_give_the_loss_of_each_class(tmp_path, tree, data, monkeypatch):
    spec = InputSpec(size=(32, 32), frames=6, fps=25.0, hop=6)
    toy_detectors.register_recurrent("memory", spec, frame_context=0)
    torch.manual_seed(0)
    about = {"detector": "memory", "tag": "t", "license": "MIT", "trained_on": "nothing"}
    file = save_weights(toy_detectors.Recurrent().state_dict(), tmp_path / "m", **about)
    rows = [dataclasses.replace(row, dataset="dfdc", compression="") for row in data[0].rows]
    columns = [f"{o}, {c}" for o in ("original", "flip 3", "shuffle") for c in ("real", "fake")]
    protocol = only(get_protocol("spatio_temporal/table4"), *columns)
    at_hand, out = [Data(rows, tree)], tmp_path / "out"
    ran = run_protocol(
        protocol, at_hand, ["memory", "bright"], out, weights={"memory": file}, resamples=30
    )
    scores = read_scores(out)
    for cell, figure in zip(protocol.cells, ran[0].values, strict=True):
        chosen = [s for s in scores if s.key.condition == cell.condition]
        labels, logits = [s.label for s in chosen], [s.score for s in chosen]
        expected = log_loss(labels, logits, of="real" if "real" in cell.metric else "fake")
        assert figure.value == pytest.approx(expected)
    assert len(set(values_of(ran[0]))) == 6
    assert set(values_of(ran[1])) == {None}
    short = toy_detectors.weights_file(tmp_path / "b", "bright")
    given = {"bright": short}
    (bright,) = run_protocol(protocol, at_hand, ["bright"], out, weights=given, resamples=30)
    assert bright.values[0].value is not None
    assert bright.values[2].note == (
        "not measurable: flip_3 needs clips of at least 3 frames, its clips have 1"
    )
    text = show_protocol(protocol, at_hand, ran[:1])
    assert "not calibrated, in nats" in text


def test_a_feature_map_keeps_embeddings_apart(tmp_path, data):
    spec = InputSpec(size=(32, 32), frames=4, fps=25.0, hop=2)
    toy_detectors.register_recurrent("memory", spec, frame_context=0)
    torch.manual_seed(0)
    about = {"detector": "memory", "tag": "t", "license": "MIT", "trained_on": "nothing"}
    state = toy_detectors.Recurrent().state_dict()
    given = {"memory": save_weights(state, tmp_path / "m", **about)}
    protocol, out = get_protocol("spatio_temporal/figure4"), tmp_path / "out"
    (ours,) = run_protocol(protocol, data, ["memory"], out, weights=given, resamples=30)
    assert ours.values[0].value is not None
    assert all(clip.embedding is not None for clip in read_clips(out / "embeddings"))
    svg, png = draw_protocol(protocol, [ours], out)
    assert svg.name.startswith("spatio_temporal-figure4-memory@")
    drawn = svg.read_text()
    assert all(f"{method} (" in drawn for method in METHODS)
    assert png.read_bytes()[1:4] == b"PNG"


def test_json_holds_ours_the_papers_and_what_is_lacking(tmp_path, data, weights):
    protocol = get_protocol("lipforensics/table1")
    given = {"bright:without-Deepfakes": weights(1.0)}
    ours = run_protocol(protocol, data, ["bright"], tmp_path, weights=given, resamples=30)
    found = json.loads(to_json(protocol, data, ours))
    assert found["columns"] == ["DF", "FS", "F2F", "NT", "avg"]
    assert found["published"][-1] == {
        "model": "LipForensics",
        "values": [99.7, 90.1, 99.7, 99.1, 97.1],
    }
    (mine,) = found["ours"]
    assert (mine["detector"], mine["row"]) == ("bright", "")
    assert mine["values"][0]["value"] == ours[0].values[0].value
    assert mine["values"][1]["value"] is None
    assert found["missing"]["FS"] == ""
    assert found["trainings"][1]["weights"] == "bright:without-FaceSwap"
    bare = json.loads(to_json(protocol, []))
    assert bare["ours"] == [] and bare["missing"]["FS"].startswith("no data: needs FaceSwap")
