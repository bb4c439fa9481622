"""unmask corrupt, as a user meets it."""

import json

import numpy as np
import pytest

from unmask.corruptions import CORRUPTIONS
from unmask.media import open_video


def first(path):
    with open_video(path) as video:
        return next(video.frames()).pixels.astype(int)


def test_it_prints_where_the_copy_is(cli, tmp_path, portrait_video):
    out = tmp_path / "dark.mp4"
    ran = cli("corrupt", portrait_video, "--kind", "contrast", "--severity", 5, "-o", out)
    assert (ran.code, ran.out, ran.err) == (0, f"{out}\n", "")
    # Conversion to 4:2:0 and back darkens by about 1.
    assert first(out).mean() == pytest.approx(0.35 * first(portrait_video).mean(), abs=2)


def test_json_says_what_was_done(cli, tmp_path, no_face_video):
    out = tmp_path / "out.mkv"
    words = ("corrupt", no_face_video, "-k", "compression", "-s", 2, "-o", out, "--json")
    done = json.loads(cli(*words).out)
    assert done == {
        "path": str(out),
        "kind": "compression",
        "severity": 2,
        "value": 32,
        "seed": 0,
        "crf": 32,
        "frames": 50,
        "notes": [],
    }


def test_seed_and_jumping_reach_the_blocks(cli, tmp_path, no_face_video):
    shown = []
    for number, more in enumerate(((), ("--seed", 1), ("--jumping",))):
        out = tmp_path / f"{number}.mp4"
        assert cli("corrupt", no_face_video, "-k", "block", "-s", 5, "-o", out, *more).code == 0
        with open_video(out) as video:
            shown.append(list(video.frames())[-1].pixels.astype(int))
    still, other_seed, jumping = shown
    assert np.abs(still - other_seed).max() > 50
    assert np.abs(still - jumping).max() > 50


def test_notes_go_to_stderr(cli, tmp_path, truncated_video):
    out = tmp_path / "out.mp4"
    ran = cli("corrupt", truncated_video, "-k", "blur", "-s", 1, "-o", out)
    assert (ran.code, ran.out) == (0, f"{out}\n")
    assert "note: " in ran.err and "damaged" in ran.err


def test_what_is_there_is_replaced_only_if_allowed(cli, tmp_path, no_face_video):
    out = tmp_path / "out.mp4"
    out.write_text("mine")
    words = ("corrupt", no_face_video, "-k", "blur", "-s", 1, "-o", out)
    ran = cli(*words)
    assert (ran.code, out.read_text()) == (1, "mine")
    assert ran.error.endswith("it exists. Give another name, or allow it with --overwrite.")
    assert cli(*words, "--overwrite").code == 0
    assert first(out).shape == (120, 160, 3)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("-k", "fog", "-s", 1), 2, "Unknown corruption 'fog'. Known: saturation, contrast, block"),
        (("-k", "blur", "-s", 0), 2, "severity 0: expected a whole number from 1 (mild) to 5"),
        (("-k", "blur", "-s", 6), 2, "severity 6: expected"),
        (("-k", "blur", "-s", "x"), 2, "'--severity'"),
        (("-k", "blur", "-s", 1, "--seed", -1), 2, "'--seed'"),
        (("-s", 1), 2, "--kind"),
        (("-k", "blur"), 2, "--severity"),
    ],
)
def test_wrong_usage_is_one_line(cli, tmp_path, no_face_video, words, code, told):
    ran = cli("corrupt", no_face_video, "-o", tmp_path / "out.mp4", *words)
    assert ran.code == code
    assert told in ran.error
    assert list(tmp_path.iterdir()) == []


def test_same_in_and_out_and_no_picture(cli, tmp_path, no_face_video, audio_only_file):
    before = no_face_video.read_bytes()
    ran = cli("corrupt", no_face_video, "-k", "blur", "-s", 1, "-o", no_face_video, "--overwrite")
    assert ran.code == 2
    assert "it is the video that is read" in ran.error
    assert no_face_video.read_bytes() == before
    ran = cli("corrupt", audio_only_file, "-k", "blur", "-s", 1, "-o", tmp_path / "out.mp4")
    assert ran.code == 1
    assert "it has no video stream" in ran.error


def test_help_names_every_kind(cli):
    shown = cli("corrupt", "--help").out
    assert all(kind in shown for kind in CORRUPTIONS)
