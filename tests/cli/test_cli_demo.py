"""``unmask demo``: its clip is half real and half forged, and nothing else differs."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import jsonschema
import numpy as np
import pytest

from unmask import demo_clip
from unmask.cli.main import main
from unmask.media import open_video
from unmask.report import schema


class Demo(NamedTuple):
    folder: Path
    out: str
    err: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Demo:
    """One demo: its folder and what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert main(["demo", "-o", str(folder)]) == 0
    return Demo(folder, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def made(demo) -> Path:
    return demo.folder


@pytest.fixture(scope="module")
def frames(made):
    with open_video(made / "demo.mp4") as video:
        return [frame.pixels.astype(int) for frame in video.frames()]


def test_clip_and_both_reports_lie_in_the_folder(made):
    assert sorted(path.name for path in made.iterdir()) == ["demo.html", "demo.json", "demo.mp4"]
    document = json.loads((made / "demo.json").read_text())
    jsonschema.validate(document, schema())
    assert document["coverage"]["faces_scored"] == 1
    assert document["coverage"]["scored_s"] == pytest.approx(8, abs=0.3)


def test_both_halves_have_the_same_camera(frames):
    assert len(frames) == 200
    for step in (0, 30, 77):
        real, forged = frames[step], frames[step + 100]
        difference = np.abs(real - forged).mean(axis=-1)
        assert np.median(difference) < 2  # compression, and no motion between them
        assert difference.max() > 25


def test_the_forging_stays_in_one_place_of_the_face(face_image):
    from unmask.faces import FaceFinder

    found = FaceFinder()(face_image)
    forged = demo_clip.forge(face_image, found.landmarks_px[0])
    difference = np.abs(forged.astype(int) - face_image).max(axis=-1)
    x0, y0, x1, y1 = found.boxes_px[0].astype(int)
    inside = np.zeros(difference.shape, bool)
    inside[y0 - 5 : y1 + 5, x0 - 5 : x1 + 5] = True
    assert difference[inside].mean() > 3
    assert difference[~inside].max() <= 1
    assert np.array_equal(forged, demo_clip.forge(face_image, found.landmarks_px[0]))


def test_the_camera_moves(frames):
    assert np.abs(frames[0] - frames[25]).mean() > 5


def test_the_text_says_which_half_is_forged(demo):
    assert "From 0 to 4 s the picture is untouched; from 4 to 8 s the face" in demo.out
    assert "demo.mp4: " in demo.out
    assert f"Report: {demo.folder / 'demo.html'}" in demo.out
    assert demo.err == ""


@pytest.mark.parametrize("name", ["demo.mp4", "demo.json", "demo.html"])
def test_nothing_is_overwritten(cli, tmp_path, name):
    (tmp_path / name).write_text("old")
    ran = cli("demo", "-o", tmp_path)
    assert ran.code == 1
    assert ran.error.startswith(f"Cannot write '{tmp_path / name}': it exists. Add --overwrite")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"


def test_without_scikit_image_it_says_what_to_install(cli, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "skimage.data", None)
    monkeypatch.setitem(sys.modules, "skimage", None)
    ran = cli("demo", "-o", tmp_path / "out")
    assert ran.code == 1
    assert ran.error == "skimage is not installed. Install it with: pip install 'unmask[demo]'"
    assert not (tmp_path / "out").exists()
