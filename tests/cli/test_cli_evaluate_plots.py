"""``unmask evaluate --plots`` and ``--granularity``."""

import csv
import json

import pytest

from plot_results import one_method, write_results
from score_rows import drawn
from unmask.evaluate import granularity


@pytest.fixture
def results(tmp_path):
    return write_results(tmp_path / "results", one_method(drawn(1, 6)), embeds=False)


def test_plots_lie_in_the_results_and_reasons_are_listed(cli, results):
    ran = cli("evaluate", "-o", results, "--plots", "--resamples", 20)
    assert ran.code == 0, ran.err
    names = {path.name for path in (results / "plots").iterdir()}
    assert {
        "roc-d-c23-test-A.svg",
        "roc-d-c23-test-A.png",
        "reliability-d-c23-test-bright.svg",
    } <= names
    assert str(results / "plots/roc-d-c23-test-A.svg") in ran.err
    assert "no plot: feature-map: needs embeddings; evaluate with --embeddings" in ran.err
    assert ran.out.startswith("Video level; values in percent")
    again = cli("evaluate", "-o", results, "--resamples", 20)
    assert again.out == ran.out


@pytest.mark.parametrize("name", ["video", "clip"])
def test_the_scores_are_read_once(cli, results, monkeypatch, name):
    read, calls = granularity.read_scores, []
    monkeypatch.setattr(
        granularity, "read_scores", lambda *folders: calls.append(folders) or read(*folders)
    )
    ran = cli("evaluate", "-o", results, "--plots", "--granularity", name, "--resamples", 20)
    assert ran.code == 0, ran.err
    assert calls == [(results,)]


def test_tables_of_clips(cli, results):
    ran = cli("evaluate", "-o", results, "--granularity", "clip", "--resamples", 20)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("Clip level (unscored: videos); values in percent")
    (row,) = csv.DictReader((results / "tables-clip.csv").read_text().splitlines())
    assert (row["granularity"], row["real"], row["fake"], row["sources"]) == (
        "clip",
        "12",
        "12",
        "6",
    )
    ran = cli("evaluate", "-o", results, "--granularity", "clip", "--resamples", 20, "--json")
    assert '"clip"' in ran.out
    assert json.loads(ran.out)


def test_a_threshold_and_faces(cli, results):
    ran = cli("evaluate", "-o", results, "--threshold", "0", "--faces", "main", "--resamples", 20)
    assert ran.code == 0, ran.err
    assert "accuracies at the logit 0." in ran.out
    ran = cli("evaluate", "-o", results, "--faces", "main", "--granularity", "clip")
    assert ran.code == 2
    assert ran.error.startswith("Cannot use --faces main with --granularity clip: it says which")
    ran = cli("evaluate", "-o", results, "--threshold", "half")
    assert ran.error.startswith("Unknown threshold 'half'. Known: balanced, validation, 0")


def test_a_granularity_that_does_not_exist(cli, results):
    ran = cli("evaluate", "-o", results, "--granularity", "frame")
    assert ran.code == 2
    assert ran.error.startswith("Unknown granularity 'frame'. Known: video, face, clip.")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--compare", "a", "b", "--granularity", "clip"],
            "Cannot use --granularity clip with --compare. Leave",
        ),
        (
            ["--compare", "a", "b", "--plots"],
            "Cannot use --plots with --compare. Leave",
        ),
        (
            ["paper:emd/table2", "--granularity", "face"],
            "Cannot use --granularity face with a paper's table.",
        ),
    ],
)
def test_options_that_would_not_be_heeded(cli, results, words, message):
    ran = cli("evaluate", *words, "-o", results)
    assert ran.code == 2
    assert ran.error.startswith(message)
