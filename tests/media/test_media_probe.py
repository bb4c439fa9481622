"""What probe says of healthy files."""

import hashlib
from fractions import Fraction

import av
import numpy as np
import pytest

from unmask.media import open_video, probe


def test_facts_of_an_ordinary_video(portrait_video):
    info = probe(str(portrait_video))
    assert (info.container, info.codec) == ("mov", "h264")
    assert (info.width_px, info.height_px, info.rotation_deg) == (256, 256, 0)
    assert info.fps == 25
    assert info.duration_s == pytest.approx(2.0)
    assert info.frame_count == 50
    assert not info.is_variable_rate
    assert not info.has_audio
    assert not info.is_still
    assert info.size_bytes == portrait_video.stat().st_size
    assert info.bit_rate_bps == pytest.approx(info.size_bytes * 8 / 2.0, rel=0.01)
    assert info.sha256 == hashlib.sha256(portrait_video.read_bytes()).hexdigest()


def test_size_is_that_of_the_upright_picture(rotated_video):
    with av.open(str(rotated_video)) as container:
        stored = container.streams.video[0]
        assert (stored.width, stored.height) == (256, 192)
    info = probe(rotated_video)
    assert (info.width_px, info.height_px, info.rotation_deg) == (192, 256, 90)


def test_variable_rate_is_seen_in_the_packets(variable_rate_video, portrait_video):
    assert probe(variable_rate_video).is_variable_rate
    assert not probe(portrait_video).is_variable_rate


def test_millisecond_timestamps_of_a_constant_rate_are_not_variable(tmp_path, encode, bars):
    # Matroska rounds 1/30 s to 33 or 34 ms.
    path = encode(tmp_path / "thirty.mkv", bars(60), fps=30)
    info = probe(path)
    assert not info.is_variable_rate
    assert info.fps == 30


def test_audio_is_noticed(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 64
        audio = container.add_stream("aac", rate=16_000, layout="mono")
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(video.encode(frame))
        container.mux(video.encode(None))
        sound = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        sound.sample_rate = 16_000
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    assert probe(path).has_audio


def test_a_file_without_duration_is_counted_to_its_end(tmp_path, encode, bars):
    # As browsers record: a live WebM states neither duration nor index.
    path = encode(tmp_path / "live.mkv", bars(40), container_options={"live": "1"})
    with av.open(str(path)) as container:
        assert container.duration is None
    info = probe(path)
    assert info.frame_count == 40
    assert info.duration_s == pytest.approx(1.6, abs=0.002)


def test_a_bare_h264_stream_has_a_duration_and_times(tmp_path, encode, bars):
    path = encode(tmp_path / "bare.h264", bars(20))
    with open_video(path) as video:
        times = [frame.time_s for frame in video.frames()]
    assert video.info.frame_count == 20
    assert video.info.duration_s == pytest.approx(0.8)
    assert times == pytest.approx(np.arange(20) / 25)


def test_hash_changes_with_one_byte(tmp_path, no_face_video):
    data = bytearray(no_face_video.read_bytes())
    data[-1] ^= 1
    other = tmp_path / "other.mp4"
    other.write_bytes(data)
    assert probe(other).sha256 != probe(no_face_video).sha256


def test_hdr_and_eight_k_are_within_the_limits(hdr_video, eight_k_image_video):
    assert probe(hdr_video).codec == "hevc"
    info = probe(eight_k_image_video)
    assert (info.width_px, info.height_px) == (7680, 4320)


def test_a_folder_is_a_video_of_25_frames_a_second_unless_told(image_folder):
    info = probe(image_folder)
    assert (info.container, info.codec, info.frame_count) == ("folder", "images", 12)
    assert (info.width_px, info.height_px) == (128, 128)
    assert info.fps == 25
    assert info.duration_s == pytest.approx(12 / 25)
    slow = probe(image_folder, folder_fps=Fraction(5, 2))
    assert slow.fps == Fraction(5, 2)
    assert slow.duration_s == pytest.approx(4.8)
    assert slow.sha256 == info.sha256
