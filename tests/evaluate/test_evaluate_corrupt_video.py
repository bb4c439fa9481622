"""corrupt_video: files in, files out, each frame at its time; the input stays as it is."""

import sys
import weakref
from collections import Counter
from fractions import Fraction

import av
import numpy as np
import pytest

from unmask.corruptions import CORRUPTIONS, corrupt
from unmask.errors import MediaError, OutputError, UnknownNameError, UsageError
from unmask.evaluate import corrupt_video
from unmask.evaluate.corrupt_video import NEARLY_LOSSLESS_CRF
from unmask.media import Video, open_video


def read(path):
    with open_video(path) as video:
        return list(video.frames())


def pixels_of(path):
    return np.stack([frame.pixels for frame in read(path)])


@pytest.fixture
def short_video(tmp_path, encode, faces):
    return encode(tmp_path / "short.mp4", faces(12, 128), options={"crf": "5"})


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_file_shows_what_the_clip_does(tmp_path, short_video, kind):
    before = short_video.read_bytes()
    done = corrupt_video(short_video, tmp_path / "out.mp4", kind, 3, seed=4)
    expected = corrupt(pixels_of(short_video), kind, 3, seed=4)
    found = pixels_of(done.path)
    assert found.shape == expected.shape
    if kind == "noise":  # 4:2:0 keeps a quarter of the chroma's noise
        luma = np.array([0.299, 0.587, 0.114])
        found, expected = found @ luma, expected @ luma
    limit = 8 if kind == "noise" else 3
    assert np.abs(found.astype(float) - expected).mean() < limit
    untouched = pixels_of(short_video)
    if kind != "noise":
        closer = np.abs(found.astype(float) - expected).mean()
        assert closer < np.abs(found.astype(float) - untouched).mean()
    assert short_video.read_bytes() == before


def test_what_was_done_is_told(tmp_path, short_video):
    done = corrupt_video(short_video, tmp_path / "out.mp4", "blur", 2, seed=9)
    assert (done.kind, done.severity, done.value, done.seed) == ("blur", 2, 9, 9)
    assert (done.crf, done.frames, done.notes) == (NEARLY_LOSSLESS_CRF, 12, ())
    done = corrupt_video(short_video, tmp_path / "out.mkv", "compression", 4)
    assert (done.value, done.crf) == (38, 38)


@pytest.mark.parametrize("kind", ["blur", "compression", "noise"])
def test_the_same_twice_is_the_same_file_content(tmp_path, short_video, kind):
    for name in ("a.mp4", "b.mp4"):
        corrupt_video(short_video, tmp_path / name, kind, 5, seed=1)
    assert np.array_equal(pixels_of(tmp_path / "a.mp4"), pixels_of(tmp_path / "b.mp4"))


def crf_of(path):
    """The rate factor that x264 notes in the stream."""
    with av.open(str(path)) as container:
        data = b"".join(bytes(packet) for packet in container.demux(video=0))
    text = data[data.index(b"x264 - core") :]
    return float(text[text.index(b"crf=") + 4 :].split(b" ")[0])


@pytest.mark.parametrize(("kind", "crf"), [("compression", 40), ("pixelation", 10)])
def test_x264_encodes_at_the_stated_rate_factor(tmp_path, short_video, kind, crf):
    corrupt_video(short_video, tmp_path / "out.mp4", kind, 5)
    assert crf_of(tmp_path / "out.mp4") == crf


@pytest.mark.parametrize("fps", [25, Fraction(24_000, 1001)])
def test_every_frame_keeps_its_time(tmp_path, encode, bars, fps):
    given = encode(tmp_path / "in.mp4", bars(20), fps=fps)
    corrupt_video(given, tmp_path / "out.mp4", "contrast", 1)
    assert [f.time_s for f in read(tmp_path / "out.mp4")] == pytest.approx(
        [f.time_s for f in read(given)]
    )


def test_a_variable_rate_stays(tmp_path, variable_rate_video):
    corrupt_video(variable_rate_video, tmp_path / "out.mp4", "compression", 1)
    assert [f.time_s for f in read(tmp_path / "out.mp4")] == pytest.approx(
        [f.time_s for f in read(variable_rate_video)]
    )


def test_pictures_come_out_upright(tmp_path, rotated_video):
    corrupt_video(rotated_video, tmp_path / "out.mp4", "contrast", 1)
    with open_video(tmp_path / "out.mp4") as video:
        info = video.info
    assert (info.width_px, info.height_px, info.rotation_deg) == (192, 256, 0)


def test_one_frame_an_odd_size_and_a_folder(tmp_path, one_frame_video, encode, image_folder):
    odd = encode(tmp_path / "odd.mkv", [np.full((47, 63, 3), 90, np.uint8)] * 2, codec="ffv1")
    for number, path in enumerate((one_frame_video, odd, image_folder)):
        for kind in ("block", "compression"):
            out = tmp_path / f"{number}-{kind}.mp4"
            done = corrupt_video(path, out, kind, 1)
            assert done.frames == len(read(out)) == len(read(path))
    assert read(tmp_path / "1-block.mp4")[0].pixels.shape == (48, 64, 3)


def test_damage_and_sound_are_told(tmp_path, truncated_video, encode, bars):
    done = corrupt_video(truncated_video, tmp_path / "cut.mp4", "blur", 1)
    assert any("damaged" in note for note in done.notes)
    assert 0 < len(read(tmp_path / "cut.mp4")) == done.frames < 50
    with_sound = tmp_path / "sound.mkv"
    with av.open(str(with_sound), "w") as container:
        video, sound = container.add_stream("libx264", rate=25), container.add_stream("aac", 16_000)
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        for pixels in bars(5):
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels)))
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 3200), np.float32), "fltp", "mono")
        samples.sample_rate = 16_000
        container.mux(sound.encode(samples))
        for stream in (video, sound):
            container.mux(stream.encode(None))
    done = corrupt_video(with_sound, tmp_path / "silent.mp4", "blur", 1)
    assert done.notes == ("the sound was left out",)
    with av.open(str(done.path)) as container:
        assert not container.streams.audio


def test_memory_does_not_grow_with_the_length(tmp_path, encode, bars, monkeypatch):
    module = sys.modules["unmask.evaluate.corrupt_video"]  # the function bears its name
    alive, most = Counter(), []
    decode, act = Video.frames, module.corrupt_frame

    def watch(what, pixels):
        weakref.finalize(pixels, alive.subtract, [what])
        alive[what] += 1
        most.append(alive[what])

    def frames(self):
        for frame in decode(self):
            watch("decoded", frame.pixels)
            yield frame

    def corrupt_frame(*arguments, **named):
        pixels = act(*arguments, **named)
        watch("corrupted", pixels)
        return pixels

    monkeypatch.setattr(Video, "frames", frames)
    monkeypatch.setattr(module, "corrupt_frame", corrupt_frame)
    given = encode(tmp_path / "long.mp4", bars(200, 64, 48))
    corrupt_video(given, tmp_path / "out.mp4", "contrast", 1)
    assert len(most) == 2 * 200
    assert max(most) <= 4


def test_progress_is_called_for_every_frame(tmp_path, short_video):
    calls = []
    out = tmp_path / "out.mp4"
    corrupt_video(short_video, out, "contrast", 1, progress=lambda *now: calls.append(now))
    assert [count for count, _ in calls] == list(range(1, 13))
    assert calls[-1][1] == pytest.approx(11 / 25)


def test_blocks_jump_only_if_asked(tmp_path, encode):
    still = encode(tmp_path / "still.mp4", [np.full((64, 64, 3), 240, np.uint8)] * 4)
    for jumping in (False, True):
        out = tmp_path / f"{jumping}.mp4"
        corrupt_video(still, out, "block", 5, jumping=jumping)
        frames = pixels_of(out).astype(int)
        assert (np.abs(np.diff(frames, axis=0)).max() > 60) == jumping


def test_a_file_that_is_there_stays(tmp_path, short_video):
    out = tmp_path / "out.mp4"
    out.write_text("mine")
    with pytest.raises(OutputError) as caught:
        corrupt_video(short_video, out, "blur", 1)
    assert str(caught.value) == (
        f"Cannot write '{out}': it exists. Give another name, or allow it with --overwrite."
    )
    assert out.read_text() == "mine"
    corrupt_video(short_video, out, "blur", 1, overwrite=True)
    assert len(read(out)) == 12


def test_the_video_is_never_its_own_copy(tmp_path, short_video, image_folder):
    before = short_video.read_bytes()
    link, hard = tmp_path / "link.mp4", tmp_path / "hard.mp4"
    link.symlink_to(short_video)
    hard.hardlink_to(short_video)
    for out in (short_video, link, hard, tmp_path / "x" / ".." / "short.mp4"):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match="it is the video that is read"):
            corrupt_video(short_video, out, "blur", 1, overwrite=True)
    assert short_video.read_bytes() == before
    with pytest.raises(UsageError, match="it lies in the folder that is read"):
        corrupt_video(image_folder, image_folder / "out.mp4", "blur", 1)
    assert not (image_folder / "out.mp4").exists()


@pytest.mark.parametrize("name", ["out.png", "out.webm", "out", "out.avi"])
def test_only_containers_of_h264_are_written(tmp_path, short_video, name):
    with pytest.raises(OutputError, match=r"is no container for H.264 here. Use .mp4, .mkv"):
        corrupt_video(short_video, tmp_path / name, "blur", 1)
    assert not (tmp_path / name).exists()


def test_what_is_wrong_is_told_before_anything_is_read(tmp_path):
    missing = tmp_path / "missing.mp4"
    with pytest.raises(UnknownNameError, match=r"Unknown corruption 'fog'. Known: saturation"):
        corrupt_video(missing, tmp_path / "out.mp4", "fog", 1)
    with pytest.raises(UsageError, match="severity 6: expected a whole number from 1"):
        corrupt_video(missing, tmp_path / "out.mp4", "blur", 6)
    with pytest.raises(UsageError, match="seed -3: expected 0 or more"):
        corrupt_video(missing, tmp_path / "out.mp4", "blur", 1, seed=-3)
    with pytest.raises(MediaError, match="there is no such file"):
        corrupt_video(missing, tmp_path / "out.mp4", "blur", 1)


def test_a_file_without_a_picture_is_told(tmp_path, audio_only_file, short_video):
    with pytest.raises(MediaError, match="it has no video stream"):
        corrupt_video(audio_only_file, tmp_path / "out.mp4", "blur", 1)
    with pytest.raises(OutputError, match="its folder does not exist"):
        corrupt_video(short_video, tmp_path / "no" / "out.mp4", "blur", 1)
    assert list(tmp_path.iterdir()) == [short_video]
