"""Figures of a results folder: all that can be drawn, reasons for the rest, the same bytes."""

import xml.etree.ElementTree as ET

import matplotlib
import pytest

from plot_results import one_method, rows, write_results
from score_rows import drawn, video
from unmask.errors import DataError, OutputError
from unmask.plots.canvas import drawing, look_of, new_canvas, save
from unmask.plots.write import write_plots


def stems(drawn_):
    return {path.stem for path in drawn_.paths}


def texts(path):
    """Every text in an SVG file."""
    found = ET.parse(path).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()).strip() for text in found]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("plots") / "results", rows())


@pytest.fixture(scope="module")
def atlas(results):
    return write_plots(results, results / "plots", resamples=40)


def test_everything_is_drawn(atlas):
    ranking = {
        f"{kind}-d-c23-{place}"
        for kind in ("roc", "risk-coverage")
        for place in ("test-A", "test-B", "test-all", "val-A")
    }
    calibration = {"reliability-d-c23-test-bright", "reliability-d-c23-test-other"}
    calibration |= {"reliability-d-c23-val-bright"}
    pixels = {f"pixel-roc-d-c23-test-{method}" for method in ("A", "B", "all")}
    maps = {"feature-map-d-c23-test-bright", "feature-map-d-c23-test-other"}
    maps |= {"feature-map-d-c23-val-bright"}
    assert stems(atlas) == ranking | calibration | pixels | maps | {"severity-d-c23-test"}
    assert atlas.missing == []
    assert len(atlas.paths) == 2 * len(stems(atlas))


def test_every_file_is_what_its_name_says(atlas):
    for path in atlas.paths:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG")
        else:
            assert ET.parse(path).getroot().tag.endswith("svg")


def test_titles_and_legends_say_what_was_drawn(atlas):
    files = {path.stem: texts(path) for path in atlas.paths if path.suffix == ".svg"}
    roc = files["roc-d-c23-test-all"]
    assert "ROC: d c23 test, all methods (video granularity)" in roc
    assert any(t.startswith("bright: AUC ") and "12 real, 24 fake, 12 sources" in t for t in roc)
    assert any(text.startswith("other: AUC ") for text in roc)
    assert "FAR of one false alarm: 8.3 %" in roc
    reliability = files["reliability-d-c23-test-bright"]
    assert "not calibrated: sigmoid of the score" in reliability
    assert "calibrated on d val, n = 24" in reliability
    assert "calibrated" not in " ".join(files["reliability-d-c23-test-other"]).replace(
        "not calibrated", ""
    )
    risk = " ".join(files["risk-coverage-d-c23-test-all"])
    assert "of d val" in risk
    assert "threshold 0 (the split 'val' of d was not evaluated)" in risk
    severity = files["severity-d-c23-test"]
    assert "AUC under corruptions: d c23 test, n = 36 (video granularity)" in severity
    assert "blur" in severity and "noise" not in severity
    assert "Embeddings of bright: d c23 test" in files["feature-map-d-c23-test-bright"]


def test_the_same_scores_give_the_same_bytes(atlas, results, tmp_path):
    again = write_plots(results, tmp_path, resamples=40)
    assert [path.name for path in again.paths] == [path.name for path in atlas.paths]
    for first, second in zip(atlas.paths, again.paths, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


def test_another_level_has_files_of_its_own(tmp_path):
    results = write_results(tmp_path / "r", one_method(drawn(1, 6)), embeds=False)
    clips = write_plots(results, tmp_path / "f", granularity="clip", resamples=20)
    path = next(p for p in clips.paths if p.name == "roc-d-c23-test-A-clip.svg")
    assert "ROC: d c23 test, A (clip granularity)" in texts(path)
    assert any("12 real, 12 fake, 6 sources" in text for text in texts(path))


def test_the_reason_for_a_missing_plot(tmp_path):
    reals = [row for row in drawn(1, 4) if not row.label]
    found = write_plots(write_results(tmp_path / "r", reals, embeds=False), tmp_path / "f")
    assert found.paths == []
    assert found.missing == [
        "ROC and risk of bright, d c23 test all: not measurable: no fake videos with a score",
        "reliability of bright, d c23 test: not measurable: no fake videos with a score",
        "severity: needs videos under corruptions; evaluate with --condition all-corruptions",
        "pixel-roc: needs masks; evaluate a detector that gives masks on forgeries that come "
        "with theirs",
        "feature-map: needs embeddings; evaluate with --embeddings",
    ]


def test_too_few_embeddings(tmp_path):
    found = write_plots(write_results(tmp_path / "r", drawn(1, 1)), tmp_path / "f", resamples=20)
    reason = next(text for text in found.missing if text.startswith("feature-map d c23 test"))
    assert "a map needs at least 10 clips whose embeddings differ, got 6 clips" in reason


def test_two_weights_of_one_detector_have_two_names(tmp_path):
    both = one_method([*drawn(1, 6, sha256="cd" * 32), *drawn(2, 6)])
    results = write_results(tmp_path / "r", both, embeds=False)
    found = write_plots(results, tmp_path / "f", resamples=20)
    path = next(p for p in found.paths if p.name == "roc-d-c23-test-A.svg")
    text = " ".join(texts(path))
    assert "bright@abababab: AUC" in text and "bright@cdcdcdcd: AUC" in text


def test_names_that_differ_only_in_what_a_file_name_cannot_hold(tmp_path):
    places = [drawn(1, 4, dataset=name, compression="") for name in ("a b", "a/b")]
    both = one_method([*places[0], *places[1]])
    results = write_results(tmp_path / "r", both, embeds=False)
    found = write_plots(results, tmp_path / "f", resamples=20)
    assert {"roc-a-b-test-A", "roc-a-b-test-A-2"} <= stems(found)
    assert len(set(found.paths)) == len(found.paths)


def test_no_scores(tmp_path):
    with pytest.raises(DataError, match="There are no scores in"):
        write_plots(tmp_path, tmp_path / "f")


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    results = write_results(tmp_path / "r", drawn(1, 4), embeds=False)
    with pytest.raises(OutputError, match=r"Cannot write '.*roc-d-c23-test-A.svg': .* with -o\."):
        write_plots(results, tmp_path / "file", resamples=20)


def test_the_users_settings_are_neither_heeded_nor_changed(tmp_path):
    def one(name):
        with drawing():
            canvas = new_canvas(2, 2)
            canvas.add_subplot().plot([0, 1], [0, 1])
            return [path.read_bytes() for path in save(canvas, tmp_path / name)]

    before = one("a")
    with matplotlib.rc_context({"lines.linewidth": 9.0, "font.size": 30.0}):
        assert one("b") == before
        assert matplotlib.rcParams["lines.linewidth"] == 9.0


def test_looks_differ():
    assert len({look_of(number) for number in range(28)}) == 28


def test_a_video_without_a_score_is_not_drawn(tmp_path):
    both = [*one_method(drawn(1, 6)), video("x.mp4", None, method="A", reason="no face")]
    results = write_results(tmp_path / "r", both, embeds=False)
    found = write_plots(results, tmp_path / "f", resamples=20)
    path = next(p for p in found.paths if p.name == "roc-d-c23-test-A.svg")
    assert any("6 real, 6 fake" in text for text in texts(path))
