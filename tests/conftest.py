"""Media that every test may use, made on the fly: no file of anyone, no network.

The face is ``skimage.data.astronaut()``: Eileen Collins, a NASA portrait in the public domain.
"""

from __future__ import annotations

import os

# Networks here are small: two processes beat two threads, and sums come out the same everywhere.
# Before anything loads OpenMP.
for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

# The doctest collector would import every conftest.py under the one name ``conftest``.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]

FACE_CENTER = (222, 118)  # x, y in the astronaut's 512x512 portrait; the face is 90x120 px


def encode_video(
    path: Path,
    frames: Iterable[Pixels],
    *,
    fps: int = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    ticks: Callable[[int], int] | None = None,
    rotation_deg: int = 0,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Writes frames with PyAV alone, so that a fixture does not depend on what is tested.

    ``ticks(index)`` gives a frame's time in milliseconds (variable rate); ``rotation_deg`` is
    the clockwise turn that a player must apply.
    """
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.pix_fmt = pix_fmt
        time_base = Fraction(1, fps if ticks is None else 1000)
        stream.codec_context.time_base = time_base
        if rotation_deg:
            stream.set_display_rotation(-rotation_deg)
        for index, pixels in enumerate(frames):
            if index == 0:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts = index if ticks is None else ticks(index)
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut_face(image: Pixels, size: int, *, dx: float = 0, dy: float = 0, zoom: float = 1) -> Pixels:
    """A square of ``size`` px with the astronaut's face in its middle, moved by (dx, dy).

    At ``zoom`` 1 the portrait keeps its own pixels.
    """
    x, y = FACE_CENTER[0] + dx, FACE_CENTER[1] + dy
    matrix = np.array(
        [[zoom, 0, size / 2 - zoom * x], [0, zoom, size / 2 - zoom * y]], dtype=np.float64
    )
    return cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )


def moving_face(image: Pixels, count: int, size: int = 256) -> list[Pixels]:
    """Frames of the face that sways by a few pixels and comes a little nearer."""
    return [
        cut_face(
            image,
            size,
            dx=8 * np.sin(i / 8),
            dy=4 * np.cos(i / 11),
            zoom=1 + 0.08 * i / max(count - 1, 1),
        )
        for i in range(count)
    ]


def moving_bars(count: int, width: int = 160, height: int = 120) -> list[Pixels]:
    """Frames without a face: soft colored bars that drift; each differs from the next."""
    x = np.arange(width)[None, :, None] / width
    y = np.arange(height)[:, None, None] / height
    phase = np.array([0.0, 2.1, 4.2])
    return [
        (127 + 100 * np.sin(6 * x + 2 * y + i / 6 + phase)).astype(np.uint8) for i in range(count)
    ]


@pytest.fixture(scope="session")
def media_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's media lie."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def face_image() -> Pixels:
    """The astronaut's portrait, (512, 512, 3) RGB uint8: one face of 90x120 px."""
    from skimage.data import astronaut

    return np.ascontiguousarray(astronaut()[..., :3])


@pytest.fixture(scope="session")
def face_image_file(media_folder: Path, face_image: Pixels) -> Path:
    """The portrait as a PNG."""
    path = media_folder / "face.png"
    Image.fromarray(face_image).save(path)
    return path


@pytest.fixture(scope="session")
def portrait_video(media_folder: Path, face_image: Pixels) -> Path:
    """2 s, 25 fps, 256x256 H.264: one face of 90x120 px and more that sways and comes nearer."""
    return encode_video(media_folder / "portrait.mp4", moving_face(face_image, 50))


@pytest.fixture(scope="session")
def two_people_video(media_folder: Path, face_image: Pixels) -> Path:
    """2 s, 25 fps, 512x256: the face on the left, its mirror image on the right."""
    frames = [np.hstack([f, f[:, ::-1]]) for f in moving_face(face_image, 50)]
    return encode_video(media_folder / "two_people.mp4", frames)


@pytest.fixture(scope="session")
def twenty_faces_video(media_folder: Path, face_image: Pixels) -> Path:
    """1 s, 10 fps, 800x640: five by four faces of 60x80 px."""
    tiles = [cut_face(face_image, 160, dx=2 * np.sin(i / 3), zoom=0.7) for i in range(10)]
    frames = [np.tile(tile, (4, 5, 1)) for tile in tiles]
    return encode_video(media_folder / "twenty_faces.mp4", frames, fps=10)


@pytest.fixture(scope="session")
def no_face_video(media_folder: Path) -> Path:
    """2 s, 25 fps, 160x120: drifting bars of color."""
    return encode_video(media_folder / "no_face.mp4", moving_bars(50))


@pytest.fixture(scope="session")
def variable_rate_video(media_folder: Path, face_image: Pixels) -> Path:
    """40 frames, 256x256: 20 at 25 fps (to 0.8 s), then 20 at 10 fps (to 2.8 s)."""
    return encode_video(
        media_folder / "variable_rate.mp4",
        moving_face(face_image, 40),
        ticks=lambda i: 40 * i if i < 20 else 800 + 100 * (i - 20),
    )


@pytest.fixture(scope="session")
def rotated_video(media_folder: Path, face_image: Pixels) -> Path:
    """1 s, 25 fps: stored lying as 256x192, upright 192x256 after the 90° turn it asks for."""
    frames = [np.rot90(f[:, 32:224]) for f in moving_face(face_image, 25)]
    return encode_video(media_folder / "rotated.mp4", frames, rotation_deg=90)


@pytest.fixture(scope="session")
def one_frame_video(media_folder: Path, face_image: Pixels) -> Path:
    """A video of a single frame, 256x256."""
    return encode_video(media_folder / "one_frame.mp4", moving_face(face_image, 1))


@pytest.fixture(scope="session")
def truncated_video(media_folder: Path, face_image: Pixels) -> Path:
    """The first 60 % of an MP4 of 2 s at 25 fps with its index in front: half of it decodes."""
    whole = encode_video(
        media_folder / "whole.mp4",
        moving_face(face_image, 50),
        options={"g": "5", "bf": "0"},
        container_options={"movflags": "+faststart"},
    )
    data = whole.read_bytes()
    path = media_folder / "truncated.mp4"
    path.write_bytes(data[: len(data) * 6 // 10])
    return path


@pytest.fixture(scope="session")
def eight_k_image_video(media_folder: Path, face_image: Pixels) -> Path:
    """One frame of 7680x4320: the portrait, 512 px large, in the middle of gray."""
    frame = np.full((4320, 7680, 3), 128, np.uint8)
    frame[1904:2416, 3584:4096] = face_image
    options = {"preset": "ultrafast", "threads": "1"}
    return encode_video(media_folder / "eight_k.mp4", [frame], options=options)


@pytest.fixture(scope="session")
def hdr_video(media_folder: Path, face_image: Pixels) -> Path:
    """5 frames, 256x256, HEVC with 10 bits, tagged BT.2020 and PQ."""
    path = media_folder / "hdr.mp4"
    with av.open(str(path), "w") as container:
        options = {"x265-params": "log-level=none", "preset": "ultrafast"}
        stream = container.add_stream("libx265", rate=25, options=options)
        stream.width = stream.height = 256
        stream.pix_fmt = "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc = 9, 16  # AVCOL_PRI_BT2020, AVCOL_TRC_SMPTE2084
        context.colorspace, context.color_range = 9, 1  # AVCOL_SPC_BT2020_NCL, AVCOL_RANGE_MPEG
        for index, pixels in enumerate(moving_face(face_image, 5)):
            rgb = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = rgb.reformat(format="yuv420p10le", dst_colorspace="BT2020", dst_color_range=1)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def audio_only_file(media_folder: Path) -> Path:
    """Half a second of AAC silence in an .m4a."""
    path = media_folder / "talk.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        silence = np.zeros((1, 8_000), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def text_mp4(media_folder: Path) -> Path:
    """Plain text under the name of a video."""
    path = media_folder / "text.mp4"
    path.write_text("This is not a video.\n" * 50)
    return path


@pytest.fixture(scope="session")
def ffconcat_mp4(media_folder: Path, no_face_video: Path) -> Path:
    """An FFmpeg playlist under the name of a video; it points at ``no_face_video`` beside it."""
    path = media_folder / "concat.mp4"
    path.write_text(f"ffconcat version 1.0\nfile {no_face_video.name}\n")
    return path


@pytest.fixture(scope="session")
def empty_file(media_folder: Path) -> Path:
    """Zero bytes under the name of a video."""
    path = media_folder / "empty.mp4"
    path.touch()
    return path


@pytest.fixture(scope="session")
def image_folder(media_folder: Path, face_image: Pixels) -> Path:
    """12 PNG frames of 128x128 named frame1 … frame12 without leading zeros, and a text file."""
    folder = media_folder / "frames"
    folder.mkdir()
    for index, pixels in enumerate(moving_face(face_image, 12, size=128)):
        Image.fromarray(pixels).save(folder / f"frame{index + 1}.png")
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder with real media and checkpoints (UNMASK_SHARED, else ../shared); may skip."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("UNMASK_SHARED", default))
    if not folder.is_dir():
        pytest.skip(f"no shared folder at {folder}; set UNMASK_SHARED")
    return folder


@pytest.fixture(scope="session")
def encode() -> Callable[..., Path]:
    """``encode_video``, for tests that need a special file."""
    return encode_video


@pytest.fixture(scope="session")
def bars() -> Callable[..., list[Pixels]]:
    """``moving_bars``: ``bars(count, width, height)`` gives frames without a face."""
    return moving_bars


@pytest.fixture(scope="session")
def faces(face_image: Pixels) -> Callable[[int, int], list[Pixels]]:
    """``moving_face``: ``faces(count, size)`` gives frames of a swaying face."""
    return lambda count, size=256: moving_face(face_image, count, size)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of this test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("UNMASK_CACHE", str(folder))
    return folder


@pytest.fixture
def own_names(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a test register detectors of its own, with an empty cache and without a proxy."""
    import toy_detectors

    toy_detectors.own_registry(monkeypatch)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
