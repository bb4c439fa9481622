"""unmask evaluate: conditions, JSON, the papers' tables with trainings and on a stand-in."""

import json
import shlex

import pytest

import toy_detectors
from dataset_trees import write_faceforensics, write_splits
from unmask.evaluate.scores import read_clips, read_scores
from unmask.minibench.settings import KINDS


@pytest.fixture
def bright(tmp_path, monkeypatch):
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    return toy_detectors.weights_file(tmp_path / "b.safetensors", "bright", 2.0)


@pytest.fixture(scope="module")
def minibench(tmp_path_factory):
    """Two trees with the names of a miniature benchmark, and portraits in them."""
    root = tmp_path_factory.mktemp("mini")
    ids = (("000", "003"), ("011", "012"), ("720", "672"))
    for part, folder in (("main", root), ("other", root / "other")):
        write_faceforensics(folder, ids, tuple(KINDS), ("c23",), 8, with_masks=False)
        write_splits(folder, ids)
        names = [name for pair in ids for name in pair]
        sources = {name: {"person": f"{part}-{name}"} for name in names}
        (folder / "minibench.json").write_text(json.dumps({"part": part, "sources": sources}))
    return root


@pytest.fixture
def video_folder(tmp_path, portrait_video):
    (tmp_path / "data/real").mkdir(parents=True)
    (tmp_path / "data/real/a.mp4").symlink_to(portrait_video)
    return tmp_path / "data"


def test_videos_are_scored_under_conditions(cli, tmp_path, bright, video_folder):
    words = ["--data", video_folder, "-d", "bright", "-w", f"bright={bright}"]
    words += ["-o", tmp_path / "out", "--resamples", 9]
    ran = cli("evaluate", *words, "--condition", "blur 3", "--condition", "")
    assert ran.code == 0, ran.err
    assert {row.key.condition for row in read_scores(tmp_path / "out")} == {"", "blur 3"}
    assert "| data |  | test | blur 3 | all |" in ran.out
    again = cli("evaluate", *words, "--condition", "blur 3", "--embeddings")
    assert again.code == 0, again.err  # this detector has none that could be missing


def test_tables_as_json(cli, tmp_path, bright, video_folder):
    words = ["--data", video_folder, "-d", "bright", "-w", f"bright={bright}"]
    ran = cli("evaluate", *words, "-o", tmp_path / "out", "--resamples", 9, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["granularity"] == "video"
    (row,) = found["rows"]
    assert (row["detector"], row["dataset"], row["reals"], row["fakes"]) == ("bright", "data", 1, 0)
    assert row["values"]["AUC"]["value"] is None
    assert row["values"]["AUC"]["note"] == "not measurable: no fake videos in data test"


def test_differences_as_json(cli, tmp_path, video_folder, bright):
    toy_detectors.register("other")
    file = toy_detectors.weights_file(tmp_path / "o.safetensors", "other", -1.0)
    words = ["--data", video_folder, "-d", "bright", "-w", f"bright={bright}", "-d", "other"]
    assert cli("evaluate", *words, "-w", f"other={file}", "-o", tmp_path / "out").code == 0
    ran = cli("evaluate", "-o", tmp_path / "out", "--compare", "bright", "other", "--json")
    assert ran.code == 0, ran.err
    (found,) = json.loads(ran.out)
    assert (found["a"], found["b"], found["reals"], found["p_value"]) == (
        "bright",
        "other",
        1,
        None,
    )


def test_a_papers_table_without_detectors_prints_its_trainings(cli):
    ran = cli("evaluate", "paper:anti_compression/table2")
    assert ran.code == 0
    lines = [line.strip() for line in ran.out.splitlines() if "unmask train" in line]
    assert len(lines) == 4
    words = shlex.split(lines[1], comments=True)
    assert words[:4] == ["unmask", "train", "anti_compression", "--data"]
    assert "distance_weight=0" in words and "c40" in words
    assert lines[1].endswith("# -w anti_compression:cls+at=FILE")
    found = json.loads(cli("evaluate", "paper:anti_compression/table2", "--json").out)
    assert [one["weights"] for one in found["trainings"]] == [
        *("anti_compression:cls", "anti_compression:cls+at"),
        *("anti_compression:cls+at+dis", "anti_compression:cls+at+dis+gan"),
    ]


def test_a_papers_table_on_the_miniature_benchmark(cli, tmp_path, bright, minibench):
    words = ["paper:spatio_temporal/table2", "--stand-in", "minibench", "--data", minibench]
    words += ["-d", "bright", "-w", f"bright={bright}", "-o", tmp_path / "out", "--resamples", 9]
    ran = cli("evaluate", *words)
    assert ran.code == 0, ran.err
    assert "| paper, other data: I3D | 78.57 |" in ran.out
    assert "| ours: bright | " in ran.out and "| ours: bright | - " not in ran.out
    assert "which measures machinery and trends, not field accuracy" in ran.out
    # The paper decides at the logit 0: no validation video is needed.
    assert {row.key.dataset for row in read_scores(tmp_path / "out")} == {"minibench_other"}
    ran = cli("evaluate", *words, "--threshold", "balanced")
    assert ran.code == 0, ran.err
    assert {row.key.split for row in read_scores(tmp_path / "out")} == {"val", "test"}


def test_a_figure_is_written_into_the_results(cli, tmp_path, monkeypatch, minibench):
    toy_detectors.own_registry(monkeypatch)
    spec = toy_detectors.InputSpec(size=(32, 32), frames=4, fps=25.0, hop=2)
    toy_detectors.register_recurrent("memory", spec, frame_context=0)
    from unmask.checkpoints import save_weights

    about = {"detector": "memory", "tag": "t", "license": "MIT", "trained_on": "nothing"}
    state = toy_detectors.Recurrent().state_dict()
    file = save_weights(state, tmp_path / "m.safetensors", **about)
    words = ["paper:spatio_temporal/figure4", "--stand-in", "minibench", "--data", minibench]
    words += ["-d", "memory", "-w", f"memory={file}", "-o", tmp_path / "out", "--resamples", 9]
    ran = cli("evaluate", *words)
    assert ran.code == 0, ran.err
    drawn = sorted(path.suffix for path in (tmp_path / "out/plots").iterdir())
    assert drawn == [".png", ".svg"]
    assert "spatio_temporal-figure4-memory@" in ran.err
    assert all(clip.embedding for clip in read_clips(tmp_path / "out/embeddings"))


def test_occlusion_pictures_of_each_method_are_made(cli, tmp_path, bright, minibench):
    words = ["paper:lipforensics/figure6", "--stand-in", "minibench", "--data", minibench]
    words += ["-d", "bright", "-w", f"bright={bright}", "-o", tmp_path / "out"]
    ran = cli("evaluate", *words)
    assert ran.code == 0, ran.err
    folders = sorted(path.name for path in (tmp_path / "out/occlusion").iterdir())
    methods = [name.split("-")[1] for name in folders]
    chosen = {*KINDS} - {"mouth_swap_in_time"}  # it stands for FaceShifter, no training method
    assert methods == sorted([*chosen, "real"])
    assert ran.out.count(".png") >= len(folders)
    again = cli("evaluate", *words)
    assert (again.code, again.out) == (0, "")
    bare = cli("evaluate", *words[:1], *words[5:])
    assert bare.error.startswith(
        "Cannot make lipforensics/figure6: no data: needs videos in faceforensics c23 test. Give "
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["-o", "y", "--stand-in", "minibench"],
            "Cannot use --stand-in without a paper's table. Name paper:NAME/TABLE.",
        ),
        (["paper:emd/table2", "--stand-in", "x"], "Unknown stand-in 'x'. Known: minibench."),
        (
            ["paper:emd/table2", "--condition", "blur 3"],
            "Cannot use --condition with a paper's table. Leave --condition out.",
        ),
        (
            ["-o", "y", "--compare", "a", "b", "--embeddings"],
            "Cannot use --embeddings with --compare. Leave --embeddings out.",
        ),
        (
            ["--data", "x", "-d", "screener", "-o", "y", "--condition", "blur"],
            "Unknown condition 'blur'. Known: a corruption and its severity from 1 to 5 as in 'b",
        ),
    ],
)
def test_wrong_usage(cli, words, message):
    ran = cli("evaluate", *words)
    assert ran.code == 2
    assert ran.error.startswith(message)
