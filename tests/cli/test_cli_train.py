"""``unmask train`` and ``unmask blend``."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import unmask.train
from unmask.train import Source


@pytest.fixture
def calls(monkeypatch):
    """What the command asks of the library, which is not run."""
    made = []
    monkeypatch.setattr(unmask.train, "train", lambda *args, **named: made.append((args, named)))
    return made


def test_train_hands_everything_to_the_library(cli, calls):
    words = ["--data", "faces", "--validation", "val", "-o", "run", "--set", "epochs=3"]
    more = [
        "-w",
        "df",
        "--set",
        "seed=1",
        "--device",
        "cuda",
        "--workers",
        "0",
        "--threads",
        "2",
        "--resume",
    ]
    assert cli("train", "meso4", *words, *more).code == 0
    ((args, named),) = calls
    assert args == ("meso4", Source(path=Path("faces")), Path("run"))
    del named["report"]
    assert named == {
        "validation": Source(path=Path("val")),
        "weights": "df",
        "settings": ["epochs=3", "seed=1"],
        "resume": True,
        "device": "cuda",
        "devices": 1,
        "workers": 0,
        "threads": 2,
        "progress": False,
    }


def test_train_names_layout_methods_and_levels_of_both_sources(cli, calls):
    words = ["--dataset", "faceforensics", "--method", "Deepfakes", "--compression", "c23"]
    assert cli("train", "meso4", "--data", "a", "--validation", "b", *words).code == 0
    ((args, named),) = calls
    how = {"dataset": "faceforensics", "methods": ("Deepfakes",), "compressions": ("c23",)}
    assert args[1] == Source(path=Path("a"), **how)
    assert named["validation"] == Source(path=Path("b"), **how)


def test_a_number_of_videos_is_of_training_alone(cli, calls):
    words = ["--data", "a", "--validation", "b", "--videos", "10"]
    assert cli("train", "meso4", *words).code == 0
    ((args, named),) = calls
    assert args[1] == Source(path=Path("a"), videos=10)
    assert named["validation"] == Source(path=Path("b"))
    ran = cli("train", "meso4", "--data", "a", "--videos", "0")
    assert ran.code == 2
    assert "--videos" in ran.err


def test_train_names_the_run_after_detector_and_time(cli, calls):
    assert cli("train", "meso4", "--data", "faces").code == 0
    ((args, named),) = calls
    assert re.fullmatch(r"runs/meso4-\d{8}-\d{6}", args[2].as_posix())
    assert not named["resume"]
    assert named["settings"] == ()


def test_train_tells_people_what_happens_on_stderr(cli, monkeypatch):
    monkeypatch.setattr(
        unmask.train, "train", lambda *args, report, **named: report("Faces for train: 3 of 3")
    )
    assert cli("train", "meso4", "--data", "faces") == (0, "", "Faces for train: 3 of 3\n")


def test_resume_needs_to_know_which_run(cli):
    ran = cli("train", "meso4", "--data", "faces", "--resume")
    assert ran.code == 2
    assert ran.error == "Cannot resume: say which run with -o RUN_DIR."


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["meso5"], 2, "Unknown detector 'meso5'. Did you mean 'meso4'?"),
        (["meso4", "--set", "epoch=3"], 2, "Unknown setting 'epoch'."),
        (["meso4", "--set", "epochs"], 2, "Cannot use the setting 'epochs': expected key=value."),
        (["meso4", "--set", "epochs=many"], 2, "Cannot set epochs='many': expected a"),
        (["meso4"], 1, "it is not a folder. Give a folder with media files"),
    ],
)
def test_what_is_wrong_with_a_training_is_one_line(cli, tmp_path, words, code, message):
    pytest.importorskip("lightning")
    ran = cli("train", *words, "--data", tmp_path / "no data", "-o", tmp_path / "run")
    assert ran.code == code
    assert message in ran.error


def test_an_older_run_is_kept(cli, tmp_path):
    pytest.importorskip("lightning")
    (tmp_path / "run.json").write_text("old")
    ran = cli("train", "meso4", "--data", tmp_path, "-o", tmp_path)
    assert ran.code == 1
    assert "exists and is not empty" in ran.error
    assert (tmp_path / "run.json").read_text() == "old"


def test_blend_writes_a_contact_sheet(cli, face_image_file, tmp_path):
    out = tmp_path / "new" / "sheets"
    ran = cli("blend", face_image_file, "-o", out, "--count", "3")
    assert ran.code == 0
    assert ran.out == f"{out / 'face-blends.png'}\n"
    assert [path.name for path in out.iterdir()] == ["face-blends.png"]
    with Image.open(out / "face-blends.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    assert pixels.shape == (3 * 200 + 20, 6 * 184 + 4, 3)
    real, forged, mask = (pixels[36:216, x : x + 180] for x in (4, 188, 372))
    is_forged = mask[..., 0] > 0.8 * mask.max()  # a blend may be half transparent
    assert 0.01 < is_forged.mean() < 0.9
    difference = np.abs(real - forged).sum(axis=-1)
    assert difference[is_forged].mean() > 2 * difference[mask[..., 0] < 5].mean()


@pytest.mark.parametrize("fixture", ["no_face_video", "text_mp4"])
def test_blend_without_a_face_is_one_line(cli, request, tmp_path, fixture):
    path = request.getfixturevalue(fixture)
    ran = cli("blend", path, "-o", tmp_path / "out")
    assert ran.code == 1
    if fixture == "no_face_video":
        assert ran.error == (
            f"Cannot blend '{path}': it shows no face of at least 40 px. "
            "Give a picture or a video with a larger face."
        )
    else:
        assert ran.error.startswith("Cannot read 'text.mp4'")
    assert not (tmp_path / "out").exists()


def test_blend_keeps_an_old_sheet_unless_asked(cli, face_image_file, tmp_path):
    old = tmp_path / "face-blends.png"
    old.write_text("old")
    ran = cli("blend", face_image_file, "-o", tmp_path, "--count", "1")
    assert ran.code == 1
    assert ran.error.startswith(f"Cannot write '{old}': it exists. Add --overwrite")
    assert old.read_text() == "old"
    ran = cli("blend", face_image_file, "-o", tmp_path, "--count", "1", "--overwrite")
    assert ran.code == 0
    assert old.read_bytes().startswith(b"\x89PNG")


def test_blend_shows_the_kinds_that_are_named(cli, face_image_file, tmp_path):
    kinds = ["--kind", "smooth_skin", "--kind", "resampling_grid_everywhere"]
    ran = cli("blend", face_image_file, "-o", tmp_path, *kinds)
    assert ran.code == 0
    with Image.open(tmp_path / "face-blends.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    assert pixels.shape[0] == 2 * 200 + 20
    assert pixels[236:416, 372:552].min() == 255  # the second one's mask is all of the picture
    ran = cli("blend", face_image_file, "-o", tmp_path / "new", "--kind", "smoothskin")
    assert ran.code == 2
    assert ran.error.startswith("Unknown kind of forgery 'smoothskin'. Did you mean 'smooth_skin'?")


@pytest.mark.parametrize("count", [0, 101])
def test_blend_lays_out_1_to_100_rows(cli, face_image_file, tmp_path, count):
    ran = cli("blend", face_image_file, "-o", tmp_path, "--count", count)
    assert ran.code == 2
    assert ran.error == f"Cannot lay out {count} rows: expected 1 to 100."
