"""Trainings as values: their commands are those of the guide, and the parser takes them."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from unmask.cli.main import app
from unmask.datasets.affectnet import EXPRESSIONS
from unmask.detectors import get_card, list_detectors
from unmask.papers.registry import PROTOCOLS, get_protocol
from unmask.papers.trainings import TrainingSpec, trainings
from unmask.train import apply_settings

PAGES = sorted((Path(__file__).parents[2] / "docs/reproduce").glob("*.md"))
GUIDE = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
COMMANDS = [
    line
    for line in re.findall(r"^unmask train .*$", GUIDE, re.MULTILINE)
    if ("--pretraining" not in line and "--dataset faceforensics" in line)
    or "--dataset dfdc" in line
]


TRAIN = typer.main.get_command(app).commands["train"]


def parsed(line):
    return TRAIN.make_context("train", shlex.split(line, comments=True)[2:]).params


def content(line):
    """What a command trains, whatever the names of files; settings as the card then has them."""
    values = parsed(line)
    card = apply_settings(get_card(values["name"]), values["settings"] or ())
    return (
        values["name"],
        values["dataset"],
        frozenset(values["methods"] or ()),
        frozenset(values["compressions"] or ()),
        values["videos"],
        bool(values["weights"]),
        repr((card.args, card.input, card.recipe)),
    )


EVERY = {
    training
    for protocol in PROTOCOLS
    for card in map(get_card, list_detectors())
    for training in trainings(protocol, card)
    if not training.also
}


@pytest.fixture(scope="module")
def contents():
    return {content(training.command()) for training in EVERY}


def test_the_guide_has_commands():
    assert len(COMMANDS) > 45


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_guide_is_a_training_of_a_protocol(line, contents):
    assert content(line) in contents


def test_settings_of_every_training_are_taken():
    for training in EVERY:
        card = apply_settings(get_card(training.detector), training.settings)
        assert card.name == training.detector


def test_a_training_is_the_same_under_another_name():
    card = get_card("lipforensics")
    table, figure = (
        {t.name: t for t in trainings(get_protocol(f"lipforensics/{name}"), card)}
        for name in ("table2", "table5")
    )
    assert table[""] == figure[""]
    assert table["whole"] == figure["whole"] != table[""]
    assert table[""].key == "lipforensics"
    assert table["whole"].key == "lipforensics:whole"
    assert table["scratch"].commands_before() == ()
    assert table["whole"].commands_before() == (
        "unmask weights import lipforensics FILE -o lipforensics_lrw.safetensors"
        "  # lrw: docs/weights.md",
    )


def test_a_network_that_learns_from_pairs_needs_both_levels():
    card = get_card("anti_compression")
    found = {t.row: t for t in trainings(get_protocol("anti_compression/table2"), card)}
    assert found["cls"].compressions == ("c40",)
    assert found["cls+at"].compressions == ("c23", "c40")
    image = get_card("xception")
    (plain,) = trainings(get_protocol("anti_compression/table1"), image)
    assert plain.compressions == ("c40",)


def test_the_map_of_two_branch_is_of_a_plain_network():
    (found,) = trainings(get_protocol("two_branch/figure4b"), get_card("two_branch"))
    table = trainings(get_protocol("two_branch/table1a"), get_card("two_branch"))
    assert found in table
    assert {"has_log=false", "hidden=0", "input.frames=1"} <= set(found.settings)
    assert "objective=cross_entropy" not in found.settings  # that one has no embedding


def test_the_pretraining_comes_before():
    card = get_card("emd")
    (found,) = {t for t in trainings(get_protocol("emd/table5"), card) if "F2F" in t.name} - {
        t for t in trainings(get_protocol("emd/table5"), card) if not t.pretraining
    }
    start, before = found.commands_before()
    assert start.startswith("unmask weights import emd FILE --set fer=sim -o emd_imagenet-simfer")
    assert before.startswith(
        "unmask train emd --pretraining fer --data AFFECTNET --method neutral "
    )
    assert " --method contempt --weights emd_imagenet-simfer.safetensors --set fer=sim" in before
    assert before.endswith(" -o runs/emd-fer-simfer")
    assert parsed(before)["pretraining"] in card.pretraining
    assert set(parsed(before)["methods"]) <= set(EXPRESSIONS)
    assert len(parsed(before)["methods"]) == card.args["classes"]
    assert "--weights runs/emd-fer-simfer/emd.safetensors --set fer=sim" in found.command()


def cards_of(table, *detectors):
    """By detector, the cards of its trainings in a table."""
    protocol = get_protocol(table)
    return {
        name: [
            apply_settings(get_card(name), training.settings)
            for training in trainings(protocol, get_card(name))
        ]
        for name in detectors or protocol.detectors
    }


def test_no_test_corruption_is_seen_in_training():
    baselines = ("xception", "cnn_aug", "patch_based", "face_xray", "cnn_gru", "lipforensics")
    for table in ("lipforensics/table3", "lipforensics/figure4"):
        for name, cards in cards_of(table, *baselines).items():
            assert {card.recipe.sampling.augment for card in cards} <= {"flip", "crop_and_flip"}, (
                name
            )


def test_all_models_of_a_table_see_the_same_crop():
    cards = cards_of("spatio_temporal/table1")
    assert {card.input.margin for found in cards.values() for card in found} == {1.4}


def test_video_networks_of_a_table_see_the_same_clips():
    cards = cards_of("lipforensics/table6", "r2plus1d18", "ip_csn_152")
    clips = {
        (card.input.frames, card.input.fps, card.input.hop)
        for found in cards.values()
        for card in found
    }
    assert clips == {(25, 25.0, 25)}


def test_the_baseline_of_table_1b_is_the_last_row_of_table_1a():
    card = get_card("two_branch")
    first, second = (
        {t.row: t for t in trainings(get_protocol(f"two_branch/table1{part}"), card)}
        for part in "ab"
    )
    baseline = second["one-branch"]
    assert sorted(baseline.settings) == sorted(first["ft+drop+loss"].settings)
    assert (baseline.compressions, first["ft+drop+loss"].compressions) == (("c23",), ("c40",))


def test_parts_of_the_network_are_pretrained_with_all_of_it():
    """LipForensics, table 5: rows without MS-TCN are pretrained with one, then without."""
    rows = {t.row for t in trainings(get_protocol("lipforensics/table5"), get_card("lipforensics"))}
    assert rows == {"whole", "full"}


@pytest.mark.parametrize("table", ["table1", "table3"])
def test_a_sequence_detector_begins_with_an_image_detector_of_the_same_run(table):
    found = trainings(get_protocol(f"spatio_temporal/{table}"), get_card("efficientnet_b3_bigru"))
    assert len(found) > 3
    for training in found:
        start = training.begins_with
        assert start.detector == "efficientnet_b3"
        assert (start.methods, start.compressions) == (training.methods, training.compressions)
        *_, train, convert = training.commands_before()
        assert train == start.command()
        assert f"runs/{start.run}/efficientnet_b3.safetensors" in convert
    files = [training.commands_before()[-1].rpartition(" -o ")[2] for training in found]
    assert len(set(files)) == len(found)
    for training, file in zip(found, files, strict=True):
        assert f"--weights {file} " in training.command()


def test_places_stand_in_the_command(tmp_path):
    training = TrainingSpec(detector="d", name="n", dataset="dfdc", settings=("freeze=()",))
    assert training.command() == (
        "unmask train d --data DFDC --dataset dfdc --set 'freeze=()' -o runs/d-n"
    )
    assert f"--data {tmp_path} " in training.command({"dfdc": tmp_path})


@pytest.mark.parametrize("table", ["emd/table4", *(f"two_branch/table1{part}" for part in "abc")])
def test_all_rows_of_an_ablation_begin_with_the_same_file(table):
    protocol = get_protocol(table)
    found = trainings(protocol, get_card(protocol.detectors[0]))
    assert {training.start for training in found} == {"weights imagenet"}
    for training in found:
        (line,) = training.commands_before()
        words = [word for setting in training.network_settings for word in ("--set", setting)]
        assert shlex.join(words) in line
        file = line.partition(" -o ")[2].partition("  #")[0]
        assert f"--weights {file} " in training.command()


def test_expressions_are_learned_on_top_of_the_same_encoder():
    """EMD, table V: SimFER and EnsFER differ by the expression stream alone."""
    found = trainings(get_protocol("emd/table5"), get_card("emd"))
    assert {training.start for training in found} == {
        *("weights imagenet", "weights imagenet, then the pretraining fer")
    }
