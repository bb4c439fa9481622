"""The papers' tables as values, and running one on the data at hand."""

import dataclasses
import importlib
import re

import pytest
import torch
from sklearn.metrics import roc_auc_score

import toy_detectors
from dataset_trees import write_faceforensics
from unmask.checkpoints import save_weights
from unmask.corruptions import CORRUPTIONS
from unmask.datasets import list_datasets, read_dataset
from unmask.detectors import get_card, list_detectors
from unmask.errors import UnknownNameError, UsageError, WeightsError
from unmask.evaluate.condition import Condition
from unmask.evaluate.data import Data
from unmask.evaluate.scores import read_clips, read_scores
from unmask.evaluate.tables import RULES, fit_threshold
from unmask.metrics.registry import list_metrics
from unmask.papers.measure import missing_reason, run_protocol
from unmask.papers.protocol import Cell, of_frames
from unmask.papers.registry import PROTOCOLS, get_protocol
from unmask.papers.show import show_protocol
from unmask.papers.trainings import rows_of, training_of, trainings
from unmask.types import LabelledVideo


def cells_of(name):
    return {cell.column: cell for cell in get_protocol(name).cells}


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.name)
def test_every_protocol_is_whole(protocol):
    assert re.fullmatch(r"[a-z_]+/(table|figure|section)\d+[a-z-]*", protocol.name)
    assert (protocol.paper, protocol.table) == tuple(protocol.name.split("/"))
    for row in protocol.published:
        assert len(row.values) == len(protocol.headings), row.model
    for cell in protocol.cells:
        assert cell.metric in list_metrics()
        assert cell.dataset in list_datasets()
        assert Condition(cell.condition).text == cell.condition
    assert bool(protocol.cells) != bool(protocol.elsewhere)
    assert len(set(protocol.cells)) == len(protocol.cells)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.name)
def test_a_protocol_names_detectors_that_can_do_all_of_it(protocol):
    assert protocol.detectors
    assert set(protocol.quick) <= set(protocol.detectors)
    for card in map(get_card, protocol.detectors):
        for cell in protocol.cells:
            assert Condition(cell.condition).missing_reason(card.input) is None
    for card in map(get_card, list_detectors()):
        if any(protocol.name in ablation.tables for ablation in card.ablations):
            assert card.name in protocol.detectors


def test_an_eighth_corruption_changes_no_table(monkeypatch):
    before = [show_protocol(protocol, []) for protocol in PROTOCOLS]
    kind = dataclasses.replace(CORRUPTIONS["blur"], name="gamma")
    more = {**CORRUPTIONS, kind.name: kind}
    for module in ("unmask.corruptions", "unmask.corruptions.kinds"):
        monkeypatch.setattr(f"{module}.CORRUPTIONS", more)
    modules = [
        importlib.import_module(f"unmask.papers.protocols.{paper}")
        for paper in dict.fromkeys(protocol.paper for protocol in PROTOCOLS)
    ]
    again = [protocol for module in modules for protocol in importlib.reload(module).PROTOCOLS]
    assert [show_protocol(protocol, []) for protocol in again] == before


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.name)
def test_a_name_stands_for_one_training(protocol):
    for card in map(get_card, list_detectors()):
        found = {}
        for row in rows_of(protocol, card):
            for cell in protocol.cells:
                training = training_of(protocol, cell, card, row)
                assert found.setdefault(training.key, training) == training
        assert len(trainings(protocol, card)) == max(1, len(found))


@pytest.mark.parametrize("name", list_detectors())
def test_ablations_stand_in_tables_that_are_there(name):
    card = get_card(name)
    tags = {"", *(weights.tag for weights in card.weights)}
    assert card.starts_from in tags
    for ablation in card.ablations:
        assert set(ablation.tables) <= {protocol.name for protocol in PROTOCOLS}
        assert re.fullmatch(r"[\w+-]+", ablation.row)
        assert ablation.starts_from is None or ablation.starts_from in tags
    rows = [(table, a.row) for a in card.ablations for table in a.tables]
    assert len(set(rows)) == len(rows)


def test_names_are_unique():
    assert len({protocol.name for protocol in PROTOCOLS}) == len(PROTOCOLS)


@pytest.mark.parametrize(
    "name", ["lipforensics/table1", "lipforensics/table2", "lipforensics/table3"]
)
def test_the_papers_averages_are_those_of_their_columns(name):
    protocol = get_protocol(name)
    averaged = {cell.column for cell in protocol.cells if cell.is_averaged}
    for row in protocol.published:
        if None not in row.values:
            *values, mean = row.values
            named = zip(protocol.headings, values, strict=False)
            values = [value for heading, value in named if heading in averaged]
            assert sum(values) / len(values) == pytest.approx(mean, abs=0.11)


def test_what_is_left_out_is_not_trained_on():
    for name in ("lipforensics/table1", "spatio_temporal/table1", "spatio_temporal/table3"):
        for cell in get_protocol(name).cells:
            if not cell.variant.startswith("without") or cell.column == "drop":
                continue
            assert cell.train
            assert not set(cell.methods) & set(cell.train)
    cell = cells_of("spatio_temporal/table3")["reenactment: NT"]
    assert cell.train == ("Deepfakes", "FaceSwap", "FaceShifter")


def test_published_values_stand_in_their_columns():
    protocol = get_protocol("two_branch/table2")
    values = dict(zip(protocol.headings, protocol.published[-1].values, strict=True))
    assert values["c23 AUC"] == 99.12
    assert values["c40 TAR@10%"] == 72.85
    protocol = get_protocol("emd/table2")
    values = dict(zip(protocol.headings, protocol.published[-1].values, strict=True))
    assert values["c40 NT"] == 83.67
    assert get_protocol("lipforensics/table2").datasets == (
        "celeb_df",
        "dfdc",
        "faceforensics",
        "deeper_forensics_ff",
    )


def test_tests_on_the_videos_of_faceforensics_keep_to_its_split():
    for protocol in PROTOCOLS:
        # Its own lists divide the same 1,000 real videos otherwise.
        assert "deeper_forensics" not in protocol.datasets, protocol.name
        assert all("deeper_forensics" not in cell.also for cell in protocol.cells)


def test_rows_of_every_method_of_the_paper_stand_in_the_table():
    rows = {name: len(get_protocol(name).published) for name in _ROWS}
    assert rows == _ROWS


_ROWS = {
    "lipforensics/table1": 8,
    "lipforensics/table2": 11,
    "lipforensics/table3": 6,
    "lipforensics/table4": 7,
    "lipforensics/table6": 10,
    "two_branch/table2": 3,
    "two_branch/table3": 4,
    "two_branch/table4a": 8,
    "emd/table2": 9,
    "emd/table3": 8,
    "emd/table4": 4,
    "emd/table5": 4,
    "anti_compression/table1": 6,
    "spatio_temporal/table1": 5,
}


def test_an_unknown_protocol():
    with pytest.raises(UnknownNameError, match=r"Unknown protocol 'x/table1'. Known: lipforensi"):
        get_protocol("x/table1")


def row(path, method="", split="test", level="c23", dataset="faceforensics"):
    return LabelledVideo(
        path=path,
        label=int(bool(method)),
        dataset=dataset,
        split=split,
        method=method,
        compression=level,
        video_id=f"youtube/{path.name}",
        source_id="0",
    )


def test_what_the_data_lack(tmp_path):
    protocol = get_protocol("lipforensics/table1")
    cell = protocol.cells[0]
    real, fake = row(tmp_path / "0.mp4"), row(tmp_path / "1.mp4", "Deepfakes")

    def missing(*rows, protocol=protocol, cell=cell):
        return missing_reason(protocol, cell, [Data(rows, tmp_path)])

    assert missing(real, fake) is None
    assert missing(real) == "no data: needs Deepfakes in faceforensics c23 test"
    assert missing(fake) == "no data: needs real videos in faceforensics c23 test"
    other = dataclasses.replace(fake, compression="c40")
    assert missing(real, other) == "no data: needs Deepfakes in faceforensics c23 test"
    assert missing(dataclasses.replace(fake, split="val"), real).startswith("no data")
    celeb = get_protocol("lipforensics/table2")
    reason = missing(real, fake, protocol=celeb, cell=celeb.cells[0])
    assert reason == "no data: needs forgeries in celeb_df test"
    found = dataclasses.replace(get_protocol("spatio_temporal/table1"), threshold="balanced")
    reason = missing(fake, protocol=found, cell=found.cells[0])
    assert reason == (
        "no data: needs real and forged videos in faceforensics c23 val for the threshold"
    )


def test_a_table_without_detectors_says_what_can_run(tmp_path):
    rows = [row(tmp_path / "0.mp4"), row(tmp_path / "1.mp4", "FaceSwap")]
    text = show_protocol(get_protocol("lipforensics/table1"), [Data(rows, tmp_path)])
    assert "| paper: LipForensics | 99.7 | 90.1 | 99.7 | 99.1 | 97.1 |" in text
    assert "\nFS: can be measured" in text
    assert "\nNT: no data: needs NeuralTextures in faceforensics c23 test" in text
    line = (
        "unmask train lipforensics --data FF --dataset faceforensics --compression c23 "
        "--method Deepfakes --method Face2Face --method NeuralTextures "
        "--weights lipforensics_lrw.safetensors -o runs/lipforensics-without-FaceSwap"
    )
    text = show_protocol(get_protocol("lipforensics/table1"), [])
    assert f"{line}  # -w lipforensics:without-FaceSwap=FILE" in text
    text = show_protocol(get_protocol("lipforensics/figure6"), [])
    assert "Made by: unmask explain VIDEO -d NAME -w NAME=FILE --method occlusion" in text


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    ids = (("000", "003"), ("011", "012"), ("720", "672"))
    return write_faceforensics(
        tmp_path_factory.mktemp("ff"), ids, compressions=("c23",), with_masks=False, frames=8
    )


@pytest.fixture
def weights(tmp_path, monkeypatch):
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    return {
        gain: toy_detectors.weights_file(tmp_path / f"{gain}", "bright", gain)
        for gain in (1.0, -2.0)
    }


def test_a_table_is_run_with_what_is_there(tmp_path, tree, weights):
    data = [Data(read_dataset("faceforensics", tree), tree)]
    out = tmp_path / "out"
    protocol = get_protocol("lipforensics/table1")
    given = {"bright:without-Deepfakes": weights[1.0], "bright:without-FaceSwap": weights[-2.0]}
    (ours,) = run_protocol(protocol, data, ["bright"], out, weights=given, resamples=50)
    scores = read_scores(out)
    assert {score.key.split for score in scores} == {"test"}
    assert len({score.key.weights_sha256 for score in scores}) == 1
    expected = roc_auc_score([s.label for s in scores], [s.score for s in scores])
    assert ours.values[0].value == pytest.approx(expected)
    assert ours.values[1].note == "no data: needs FaceSwap in faceforensics c23 test"
    text = show_protocol(protocol, data, [ours])
    assert re.search(
        r"\| ours: bright \| \d+\.\d( \[.*\])? \| - \[1\] \| - \[2\] \| - \[3\] \| - \[1\] \|", text
    )
    (again,) = run_protocol(protocol, data, ["bright"], out, weights={}, resamples=50)
    note = "no weights: needs a training without-Deepfakes; give -w bright:without-Deepfakes=FILE"
    assert again.values[0].note == note


@pytest.mark.parametrize("rule", RULES)
def test_accuracies_are_measured_at_the_threshold_of_the_table(tmp_path, tree, weights, rule):
    data = [Data(read_dataset("faceforensics", tree), tree)]
    out = tmp_path / "out"
    protocol = get_protocol("anti_compression/table2")
    protocol = dataclasses.replace(
        protocol,
        train_compression="c23",
        threshold=rule,
        cells=tuple(dataclasses.replace(c, compression="c23") for c in protocol.cells),
    )
    given = {"bright": weights[-2.0]}
    (ours,) = run_protocol(protocol, data, ["bright"], out, weights=given, resamples=50)
    scores = read_scores(out)
    validation = [score for score in scores if score.key.split == "val"]
    assert bool(validation) == (rule != "0")
    threshold = 0.0 if rule == "0" else fit_threshold(validation, rule)
    test = [score for score in scores if score.key.split == "test"]
    right = sum((score.score >= threshold) == score.label for score in test) / len(test)
    assert ours.values[0].value == pytest.approx(right)
    assert f"Accuracies are measured at {RULES[rule]}." in show_protocol(protocol, data, [ours])


def test_a_table_scores_the_frames_that_the_paper_does(tmp_path, tree, weights):
    data = [Data(read_dataset("faceforensics", tree), tree)]
    protocol = get_protocol("anti_compression/table2")
    assert (protocol.frames, get_protocol("lipforensics/table2").frames) == (270, 110)
    cells = tuple(dataclasses.replace(c, compression="c23") for c in protocol.cells)
    protocol = dataclasses.replace(protocol, cells=cells, frames=3, threshold="balanced")
    given = {"bright": weights[-2.0]}
    protocol = dataclasses.replace(protocol, train_compression="c23")
    run_protocol(protocol, data, ["bright"], tmp_path / "out", weights=given, resamples=20)
    scores = read_scores(tmp_path / "out")
    assert {score.key.condition for score in scores} == {"first 3"}
    assert {score.key.split for score in scores} == {"val", "test"}
    assert "Of a test video the first 3 frames count." in show_protocol(protocol, data)


def test_a_frame_level_column_measures_the_clips_of_the_main_face(tmp_path, tree, weights):
    data = [Data(read_dataset("faceforensics", tree), tree)]
    video = Cell(column="AUC", metric="AUC", methods=("Deepfakes",), compression="c23")
    protocol = dataclasses.replace(
        get_protocol("two_branch/table3b"),
        train_compression="c23",
        cells=(video, *of_frames((video,))),
    )
    given = {"bright": weights[1.0]}
    out = tmp_path / "out"
    (ours,) = run_protocol(protocol, data, ["bright"], out, weights=given, resamples=20)
    assert protocol.headings == ("AUC", "frame AUC")
    clips = list(read_clips(out))
    labels = {row.key: row.label for row in read_scores(out)}
    assert len(clips) > len(labels)  # one face in each video, several clips
    expected = roc_auc_score([labels[clip.key] for clip in clips], [clip.logit for clip in clips])
    assert ours.values[1].value == pytest.approx(expected)
    rows = read_scores(out)
    expected = roc_auc_score([row.label for row in rows], [row.score for row in rows])
    assert ours.values[0].value == pytest.approx(expected)


def test_the_average_of_corruptions_leaves_the_clean_videos_out():
    protocol = get_protocol("lipforensics/table3")
    assert protocol.headings[0] == "clean"
    assert {cell.condition for cell in protocol.columns["clean"]} == {""}
    assert len(protocol.columns["avg"]) == 35
    assert all(cell.condition for cell in protocol.columns["avg"])


def test_a_row_of_another_compression_has_a_training_of_its_own():
    found = {t.row: t for t in trainings(get_protocol("two_branch/table3"), get_card("xception"))}
    assert (found["c40"].compressions, found["c40"].key) == (("c40",), "xception")
    assert (found["c23"].compressions, found["c23"].key) == (("c23",), "xception:c23")


def test_the_papers_decide_at_the_logit_0():
    assert {protocol.threshold for protocol in PROTOCOLS} == {"0"}


def test_rows_that_begin_with_different_weights_are_named():
    text = show_protocol(get_protocol("lipforensics/table1"), [])
    assert "Random weights: lipforensics, scratch. Weights lrw: lipforensics, whole; " in text
    assert "begin with different weights" not in show_protocol(get_protocol("emd/table2"), [])


def test_what_a_table_changes_in_a_recipe_stands_below_it():
    text = show_protocol(get_protocol("lipforensics/table3"), [])
    assert "xception is trained with augment=flip: no test corruption is seen in training" in text


@pytest.mark.usefixtures("weights")
def test_weights_that_were_trained_with_another_input_are_refused(tmp_path, tree):
    card = get_card("bright")
    other = dataclasses.replace(card.input, size=(16, 16))
    state = {"gain": torch.tensor(1.0), "offset": torch.tensor(0.0)}
    about = {"detector": "bright", "tag": "t", "license": "MIT", "trained_on": "nothing"}
    file = save_weights(state, tmp_path / "small.safetensors", input=other, **about)
    protocol = get_protocol("anti_compression/table2")
    data = [Data(read_dataset("faceforensics", tree), tree)]
    message = r"they were trained with input.size=\(16, 16\), which this table does not have. Train"
    with pytest.raises(WeightsError, match=message):
        run_protocol(protocol, data, ["bright"], tmp_path / "out", weights={"bright": file})


def test_weights_of_a_training_that_the_table_does_not_have(tmp_path, weights):
    protocol = get_protocol("lipforensics/table4")
    message = (
        r"Cannot use the weights of 'bright' for lipforensics/table4: expected one of bright:raw, "
        r"bright:c23, bright:c40."
    )
    with pytest.raises(UsageError, match=message):
        run_protocol(protocol, [], ["bright"], tmp_path, weights={"bright": weights[1.0]})
