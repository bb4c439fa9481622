"""``unmask evaluate --figures`` and ``--level``."""

import csv
import json

import pytest

from plot_results import one_method, write_results
from score_rows import drawn


@pytest.fixture
def results(tmp_path):
    return write_results(tmp_path / "results", one_method(drawn(1, 6)), embeds=False)


def test_figures_lie_in_the_results_and_reasons_are_told(cli, results):
    ran = cli("evaluate", "-o", results, "--figures", "--resamples", 20)
    assert ran.code == 0, ran.err
    names = {path.name for path in (results / "figures").iterdir()}
    assert {
        "roc-d-c23-test-A.svg",
        "roc-d-c23-test-A.png",
        "reliability-d-c23-test-bright.svg",
    } <= (names)
    assert str(results / "figures/roc-d-c23-test-A.svg") in ran.err
    assert "no figure: feature-map: needs embeddings; evaluate with --embeddings" in ran.err
    assert ran.out.startswith("Video level; figures in percent")
    again = cli("evaluate", "-o", results, "--resamples", 20)
    assert again.out == ran.out


def test_tables_of_clips(cli, results):
    ran = cli("evaluate", "-o", results, "--level", "clip", "--resamples", 20)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("Clip level (unscored: videos); figures in percent")
    (row,) = csv.DictReader((results / "tables-clip.csv").read_text().splitlines())
    assert (row["level"], row["real"], row["fake"], row["sources"]) == ("clip", "12", "12", "6")
    told = cli("evaluate", "-o", results, "--level", "clip", "--resamples", 20, "--json")
    assert '"clip"' in told.out
    assert json.loads(told.out)


def test_a_level_that_does_not_exist(cli, results):
    ran = cli("evaluate", "-o", results, "--level", "frame")
    assert ran.code == 2
    assert ran.error.startswith("Unknown level 'frame'. Known: video, face, clip.")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--compare", "a", "b", "--level", "clip"], "Cannot use --level clip with --compare: it"),
        (["--compare", "a", "b", "--figures"], "Cannot use --figures with --compare: it is measur"),
        (["paper:emd/table2", "--level", "face"], "Cannot use --level face with a paper's table:"),
    ],
)
def test_options_that_would_not_be_heeded(cli, results, words, message):
    ran = cli("evaluate", *words, "-o", results)
    assert ran.code == 2
    assert ran.error.startswith(message)
