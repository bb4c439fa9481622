"""Only the file itself is read, and never more pixels than allowed; bad input in one line."""

import hashlib
import os

import av
import numpy as np
import pytest

from unmask.errors import MediaError
from unmask.media import MAX_PIXELS, open_video, probe


def _message(path, **limits):
    with pytest.raises(MediaError) as caught:
        probe(path, **limits)
    with pytest.raises(MediaError) as opened:
        open_video(path, **limits)
    assert str(opened.value) == str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_playlist_named_mp4_is_refused_and_not_followed(ffconcat_mp4, no_face_video):
    # FFmpeg alone plays the other file, which no hash of ours would cover.
    with av.open(str(ffconcat_mp4)) as container:
        assert container.format.name == "concat"
        assert next(container.decode(video=0)).width == 160
    assert _message(ffconcat_mp4) == (
        "Cannot read 'concat.mp4': it is a list that points at other files, not media. "
        "Give the video itself."
    )


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nno_face.mp4\n#EXT-X-ENDLIST\n",
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>\n',
        "\ufeffffconcat version 1.0\nfile no_face.mp4\n",
    ],
)
def test_other_playlists_are_refused(tmp_path, no_face_video, text):
    (tmp_path / "no_face.mp4").write_bytes(no_face_video.read_bytes())
    path = tmp_path / "list.mp4"
    path.write_text(text)
    assert "points at other files" in _message(path)


def test_a_name_that_looks_like_a_url_is_a_name(tmp_path, no_face_video, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("concat:a.mp4", "http:a.mp4", "pipe:0", "%03d.mp4", "file.mp4?x=1"):
        (tmp_path / name).write_bytes(no_face_video.read_bytes())
        assert probe(name).frame_count == 50


def test_text_named_mp4(text_mp4):
    assert _message(text_mp4) == (
        "Cannot read 'text.mp4': its content is not a media file that can be opened. "
        "Give a video, a picture or a folder of pictures; if it plays elsewhere, the copy may be "
        "incomplete: get it again."
    )


def test_an_index_that_is_missing_at_the_end(tmp_path, no_face_video):
    path = tmp_path / "half.mp4"
    path.write_bytes(no_face_video.read_bytes()[:2000])
    assert "the copy may be incomplete" in _message(path)


def test_a_program_is_not_media(tmp_path):
    path = tmp_path / "program.mkv"
    path.write_bytes(b"\x7fELF" + bytes(range(256)) * 40)
    assert "is not a media file" in _message(path)


def test_audio_only(audio_only_file):
    assert _message(audio_only_file) == (
        "Cannot read 'talk.m4a': it has no video stream (found: audio/aac). "
        "Give a file with a picture."
    )


def test_a_cover_picture_is_no_video(tmp_path, face_image_file):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        audio = container.add_stream("aac", rate=16_000, layout="mono")
        cover = container.add_stream("png", rate=1)
        cover.width = cover.height = 64
        cover.pix_fmt = "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame(64, 64, "rgb24")
        container.mux(cover.encode(picture))
        container.mux(cover.encode(None))
        sound = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        sound.sample_rate = 16_000
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    assert "no video stream (found: audio/aac, cover picture/png)" in _message(path)


def test_zero_bytes(empty_file):
    assert _message(empty_file) == (
        "Cannot read 'empty.mp4': the file is empty (0 bytes). Get the file again."
    )


def test_a_missing_file(tmp_path):
    assert _message(tmp_path / "nowhere.mp4") == (
        f"Cannot read 'nowhere.mp4': there is no such file in '{tmp_path}'. Check the name."
    )


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert _message(tmp_path / "pipe.mp4") == (
        "Cannot read 'pipe.mp4': it is neither a file nor a folder. Give a video file."
    )


def test_a_name_that_the_disk_refuses(tmp_path):
    message = _message(tmp_path / ("long" * 100))
    assert message.startswith("Cannot read 'longlong")
    assert message.endswith("File name too long. Check the name and the disk.")


def test_a_folder_that_must_not_be_listed(image_folder, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    assert _message(image_folder) == (
        "Cannot read 'frames': permission denied. Make it readable for this user."
    )


@pytest.mark.parametrize("name", ["locked.mp4", "locked.png"])
def test_no_permission(tmp_path, name, monkeypatch):
    path = tmp_path / name
    path.write_bytes(b"secret")
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser may read everything: refuse in its stead
        _refuse_to_open(monkeypatch)
    assert _message(path) == (
        f"Cannot read '{name}': permission denied. Make it readable for this user."
    )


def _refuse_to_open(monkeypatch):
    def refuse(self, *_args, **_options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.open", refuse)


def test_more_pixels_than_8k_are_refused_before_they_are_decoded(tmp_path, no_face_video):
    assert MAX_PIXELS == 8192 * 4320
    message = _message(no_face_video, max_pixels=160 * 120 - 1)
    assert message == (
        "Cannot read 'no_face.mp4': its picture has 160x120 pixels, at most 19,199 are allowed. "
        "Scale it down, or raise max_pixels."
    )
    assert probe(no_face_video, max_pixels=160 * 120).width_px == 160


def test_eight_k_of_both_kinds_passes_and_more_does_not(tmp_path, encode):
    options = {"preset": "ultrafast", "threads": "1"}
    for height, passes in ((4320, True), (4352, False)):
        frame = np.zeros((height, 8192, 3), np.uint8)
        path = encode(tmp_path / f"{height}.mp4", [frame], options=options)
        if passes:
            assert probe(path).width_px == 8192
        else:
            assert "8192x4352 pixels, at most 35,389,440" in _message(path)


def test_a_large_frame_behind_a_small_header_is_not_decoded(tmp_path, encode, bars):
    small = encode(tmp_path / "small.ts", bars(20)).read_bytes()
    large = encode(tmp_path / "large.ts", bars(20, 640, 480)).read_bytes()
    path = tmp_path / "growing.ts"
    path.write_bytes(small + large + small)
    with open_video(path, max_pixels=320 * 240) as video:
        shapes = {frame.pixels.shape for frame in video.frames()}
    assert shapes == {(120, 160, 3)}
    assert video.is_damaged


def test_reading_changes_and_adds_nothing(tmp_path, no_face_video, image_folder):
    path = tmp_path / "in.mp4"
    path.write_bytes(no_face_video.read_bytes())
    path.chmod(0o400)
    before = hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns
    with open_video(path) as video:
        assert len(list(video.frames())) == 50
    assert (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) == before
    assert list(tmp_path.iterdir()) == [path]
