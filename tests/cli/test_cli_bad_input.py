"""The issue's list of bad and unusual input, each through the program as a user meets it."""

import json

import numpy as np
import pytest

REFUSED = {
    "audio_only_file": "it has no video stream",
    "text_mp4": "Cannot read 'text.mp4'",
    "ffconcat_mp4": "it is a list that points at other files, not media. Give the video itself.",
    "empty_file": "the file is empty (0 bytes). Get the file again.",
}
SCANNED = {
    "truncated_video": "inconclusive",
    "one_frame_video": "inconclusive",
    "no_face_video": "no_face",
    "twenty_faces_video": "inconclusive",
    "eight_k_image_video": "no_face",  # 120 px are less than can be found in such a frame
    "hdr_video": "inconclusive",
    "rotated_video": "inconclusive",
    "variable_rate_video": "inconclusive",
}


@pytest.mark.parametrize("fixture", REFUSED)
def test_what_is_no_video_is_refused_in_one_line(scan_cli, request, tmp_path, fixture):
    path = request.getfixturevalue(fixture)
    before = path.read_bytes()
    ran = scan_cli(path, "-o", tmp_path / "out")
    assert ran.code == 1
    assert ran.out == ""
    assert REFUSED[fixture] in ran.error
    assert "Give" in ran.error or "Get" in ran.error  # the remedy
    assert not (tmp_path / "out").exists()
    assert path.read_bytes() == before


@pytest.fixture(scope="module")
def results():
    """JSON of every unusual input, by fixture name; each is scanned once, when first asked for."""
    return {}


@pytest.fixture
def result(results, scan_cli, request):
    def scanned(fixture):
        if fixture not in results:
            path = request.getfixturevalue(fixture)
            before = path.read_bytes()
            ran = scan_cli(path, "--json")
            assert ran.code == 0, ran.err
            assert ran.err == ""
            assert path.read_bytes() == before
            results[fixture] = json.loads(ran.out)
        return results[fixture]

    return scanned


@pytest.mark.parametrize("fixture", SCANNED)
def test_what_is_unusual_gets_an_answer(result, fixture):
    found = result(fixture)
    assert found["finding"] == SCANNED[fixture]
    assert found["reasons"]


def test_a_truncated_file_is_judged_by_what_decodes_and_says_so(result):
    found = result("truncated_video")
    assert found["coverage"]["is_damaged"]
    assert 0 < found["coverage"]["decoded_s"] < 1.9
    assert any("damaged" in reason or "cut off" in reason for reason in found["reasons"])


def test_one_frame_is_enough(result):
    found = result("one_frame_video")
    assert found["coverage"]["frames_decoded"] == 1
    assert found["coverage"]["clips_scored"] == 1


def test_no_face_is_an_answer_of_its_own(result):
    found = result("no_face_video")
    assert found["faces"] == []
    assert found["probability"] is None


def test_twenty_faces_are_twenty_answers(result):
    found = result("twenty_faces_video")
    assert found["coverage"]["faces_found"] == 20
    assert len(found["faces"]) == 20


def test_a_face_too_small_for_8k_is_not_found_and_the_limit_is_told(result):
    found = result("eight_k_image_video")
    assert (found["video"]["width_px"], found["video"]["height_px"]) == (7680, 4320)
    assert found["coverage"]["smallest_face_px"] == pytest.approx(210)
    assert any("210" in reason for reason in found["reasons"])


def test_a_large_face_in_8k_is_found_in_the_full_frame(scan_cli, encode, face_image, tmp_path):
    frame = np.full((4320, 7680, 3), 128, np.uint8)
    frame[1000:3048, 3000:5048] = face_image.repeat(4, axis=0).repeat(4, axis=1)
    options = {"preset": "ultrafast", "threads": "1"}
    ran = scan_cli(encode(tmp_path / "large.mp4", [frame], options=options), "--json")
    assert ran.code == 0
    (track,) = json.loads(ran.out)["tracks"]
    x0, y0, x1, y1 = track["observations"][0]["box_px"]
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    assert middle == pytest.approx((3000 + 4 * 222, 1000 + 4 * 118), abs=60)


def test_hdr_rotation_and_variable_rate_are_understood(result):
    assert result("hdr_video")["coverage"]["faces_scored"] == 1
    rotated = result("rotated_video")
    assert (rotated["video"]["width_px"], rotated["video"]["height_px"]) == (192, 256)
    assert rotated["coverage"]["faces_scored"] == 1
    varied = result("variable_rate_video")
    assert varied["video"]["is_variable_rate"]
    assert varied["coverage"]["decoded_s"] == pytest.approx(2.8, abs=0.15)


def test_an_unknown_detector_gets_a_suggestion(cli, portrait_video, default_detector):
    ran = cli("scan", portrait_video, "-d", default_detector[:-1])
    assert ran.code == 2
    assert ran.error.startswith(
        f"Unknown detector '{default_detector[:-1]}'. Did you mean '{default_detector}'? Known: "
    )


def test_damaged_weights_are_told_by_their_hash(
    cli, portrait_video, no_face_video, weights_file, default_detector, tmp_path
):
    data = bytearray(weights_file.read_bytes())
    data[-7] ^= 0x11
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(data)
    out = tmp_path / "out"
    # What is wrong with the weights is wrong for every input: it is said once.
    ran = cli(
        "scan", portrait_video, no_face_video, "-w", f"{default_detector}={damaged}", "-o", out
    )
    assert ran.code == 1
    assert f"Weights '{damaged}' are damaged: sha256 is " in ran.error
    assert not out.exists()


def test_weights_that_are_missing_or_cut_off_are_one_line(
    cli, portrait_video, weights_file, default_detector, tmp_path
):
    ran = cli("scan", portrait_video, "-w", f"{default_detector}={tmp_path / 'no.safetensors'}")
    assert ran.code == 1
    assert "Cannot find weights file" in ran.error
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(weights_file.read_bytes()[:2000])
    ran = cli("scan", portrait_video, "-w", f"{default_detector}={cut}")
    assert ran.code == 1
    assert "not a whole safetensors file" in ran.error


@pytest.mark.parametrize("name", ["missing.mp4", "missing.png", "missing"])
def test_a_file_that_is_not_there(scan_cli, tmp_path, name):
    ran = scan_cli(tmp_path / name)
    assert ran.code == 1
    assert ran.error == (
        f"Cannot read '{name}': there is no such file in '{tmp_path}'. Check the name."
    )


def test_an_empty_folder(scan_cli, tmp_path):
    ran = scan_cli(tmp_path)
    assert ran.code == 1
    assert "the folder is empty" in ran.error


def test_a_folder_of_folders_is_not_called_a_folder_without_pictures(scan_cli, tmp_path):
    for name in ("real", "fake"):
        (tmp_path / name).mkdir()
    ran = scan_cli(tmp_path)
    assert ran.code == 1
    assert "its subfolders are not searched. Give one of them: fake, real." in ran.error


@pytest.mark.parametrize("url", ["https://example.org/watch?v=x", "rtsp://camera/1"])
def test_a_url_gets_the_line_that_downloads_it(scan_cli, url):
    ran = scan_cli(url)
    assert ran.code == 1
    assert ran.error == (
        f"Cannot read '{url}': unmask reads local files only. Download it first: "
        f"yt-dlp -o clip.mp4 '{url}'"
    )
