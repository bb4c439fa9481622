"""Stills and folders of frames behave as videos do."""

import numpy as np
import pytest
from PIL import Image

from unmask.errors import MediaError
from unmask.media import open_video, probe


@pytest.fixture
def corners():
    """(48, 64, 3) with another gray in every quarter."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24, :32], pixels[:24, 32:], pixels[24:, :32] = 60, 120, 180
    return pixels


def _only_frame(path):
    with open_video(path) as video:
        (frame,) = video.frames()
    return video, frame


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.webp", "a.jpg", "A.JPEG"])
def test_a_still_is_a_video_of_one_frame(tmp_path, corners, name):
    Image.fromarray(corners).save(tmp_path / name, quality=95)
    video, frame = _only_frame(tmp_path / name)
    assert video.info.is_still
    assert (video.info.width_px, video.info.height_px) == (64, 48)
    assert (video.info.frame_count, video.info.duration_s) == (1, 0.0)
    assert (frame.index, frame.time_s) == (0, 0.0)
    assert np.abs(frame.pixels.astype(int) - corners).mean() < 3
    assert (video.frames_decoded, video.decoded_s, video.is_damaged) == (1, 0.0, False)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff"])
def test_exif_orientation_is_applied(tmp_path, corners, orientation, suffix):
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = Image.fromarray(corners)
    if orientation in undo:
        stored = stored.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    stored.save(path, exif=exif)
    video, frame = _only_frame(path)
    assert (video.info.width_px, video.info.height_px) == (64, 48)
    shown = [frame.pixels[y, x].mean() for y, x in ((8, 8), (8, 56), (40, 8), (40, 56))]
    assert shown == pytest.approx([60, 120, 180, 0], abs=6)


def test_rotation_of_a_phone_photo_is_reported_clockwise(tmp_path, corners):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(corners).save(tmp_path / "phone.jpg", exif=exif)
    assert probe(tmp_path / "phone.jpg").rotation_deg == 90


def test_see_through_gray_palette_and_16_bit_pictures_become_rgb(tmp_path):
    clear = np.full((8, 8, 4), 200, np.uint8)
    clear[:4, :, 3], clear[4:, :, 3] = 255, 0
    Image.fromarray(clear).save(tmp_path / "clear.png")
    Image.fromarray(np.full((8, 8), 77, np.uint8)).save(tmp_path / "gray.png")
    Image.fromarray(np.full((8, 8), 51_200, np.uint16)).save(tmp_path / "deep.png")
    Image.new("P", (8, 8), 5).save(tmp_path / "palette.png")
    _, frame = _only_frame(tmp_path / "clear.png")
    assert frame.pixels[0, 0].tolist() == [200] * 3
    assert frame.pixels[7, 0].tolist() == [0] * 3
    assert _only_frame(tmp_path / "gray.png")[1].pixels[0, 0].tolist() == [77] * 3
    assert _only_frame(tmp_path / "deep.png")[1].pixels[0, 0].tolist() == [200] * 3
    assert _only_frame(tmp_path / "palette.png")[1].pixels.shape == (8, 8, 3)


def test_a_gif_is_a_video_with_its_own_times(tmp_path, bars):
    frames = [Image.fromarray(pixels) for pixels in bars(5)]
    path = tmp_path / "moving.gif"
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=[100, 100, 300, 100, 100]
    )
    with open_video(path) as video:
        times = [frame.time_s for frame in video.frames()]
    assert video.info.codec == "gif"
    assert times == pytest.approx([0.0, 0.1, 0.2, 0.5, 0.6])


def test_an_animated_webp_is_looked_at_only_in_part_and_says_so(tmp_path, bars):
    frames = [Image.fromarray(pixels) for pixels in bars(4)]
    path = tmp_path / "moving.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    video, _ = _only_frame(path)
    assert video.problems == ("the file holds 4 pictures; only the first was looked at",)
    assert not video.is_damaged


def test_frames_of_a_folder_come_in_the_order_of_counting(image_folder, faces):
    with open_video(image_folder) as video:
        frames = list(video.frames())
        found = list(video.frames_at([0.0, 0.21, 9.0]))
    assert [f.time_s for f in frames] == pytest.approx(np.arange(12) / 25)
    for frame, pixels in zip(frames, faces(12, 128), strict=True):
        assert np.array_equal(frame.pixels, pixels)
    assert [f.index for f in found] == [0, 5, 11]
    assert np.array_equal(found[1].pixels, frames[5].pixels)
    assert video.decoded_s == pytest.approx(12 / 25)


def test_a_folder_asks_which_frames_are_wanted(image_folder):
    asked = []
    with open_video(image_folder, folder_fps=10) as video:
        chosen = [f.index for f in video.frames(lambda *where: asked.append(where) or where[0] > 9)]
    assert chosen == [10, 11]
    assert asked[0] == (0, 0.0, pytest.approx(0.1))
    assert asked[-1] == (11, pytest.approx(1.1), None)


def test_the_hash_of_a_folder_covers_names_and_contents(tmp_path, corners):
    def folder(name, *files):
        (tmp_path / name).mkdir()
        for file, value in files:
            Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(tmp_path / name / file)
        return probe(tmp_path / name).sha256

    first = folder("a", ("1.png", 10), ("2.png", 20))
    assert folder("b", ("2.png", 20), ("1.png", 10)) == first
    assert folder("c", ("1.png", 20), ("2.png", 10)) != first
    assert folder("d", ("1.png", 10), ("3.png", 20)) != first


def test_a_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")
    with pytest.raises(MediaError) as caught:
        open_video(tmp_path)
    assert str(caught.value) == (
        f"Cannot read '{tmp_path.name}': the folder holds no videos and no pictures "
        "(.jpg, .jpeg, .png, .webp, .bmp, .tif, .tiff). Give one with the frames of a video."
    )


def test_a_folder_of_folders_says_that_it_is_not_searched_deeper(tmp_path):
    for name in ("real", "fake"):
        (tmp_path / name).mkdir()
    with pytest.raises(MediaError) as caught:
        open_video(tmp_path)
    assert str(caught.value) == (
        f"Cannot read '{tmp_path.name}': no videos and no pictures are directly in this folder, "
        "and its subfolders are not searched. Give one of them: fake, real."
    )


def test_an_empty_folder_and_a_folder_of_videos(tmp_path):
    with pytest.raises(MediaError, match="the folder is empty"):
        open_video(tmp_path)
    (tmp_path / "a.MP4").write_bytes(b"video")
    with pytest.raises(MediaError, match="the folder holds videos"):
        open_video(tmp_path)


def test_a_folder_with_pictures_of_different_sizes(tmp_path):
    for name, size in (("a.png", (64, 48)), ("b.png", (32, 24))):
        Image.new("RGB", size).save(tmp_path / name)
    with pytest.raises(MediaError) as caught:
        probe(tmp_path)
    assert str(caught.value) == (
        f"Cannot read '{tmp_path.name}': its pictures have different sizes "
        "(a.png 64x48, b.png 32x24). Give a folder with the frames of one video."
    )


def test_text_named_png(tmp_path):
    (tmp_path / "text.png").write_text("This is not a picture.")
    with pytest.raises(MediaError) as caught:
        probe(tmp_path / "text.png")
    assert str(caught.value) == (
        "Cannot read 'text.png': its content is not a picture that can be opened "
        "(JPEG, PNG, WebP, BMP or TIFF). Give a picture or a video."
    )


@pytest.mark.parametrize("name", ["cut.jpg", "cut.png"])
def test_a_still_that_breaks_off(tmp_path, face_image, name):
    path = tmp_path / name
    Image.fromarray(face_image).save(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(MediaError) as caught:
        open_video(path)
    assert str(caught.value) == (
        f"Cannot read '{name}': the picture is damaged or incomplete. Get the file again."
    )


def test_a_still_with_too_many_pixels(tmp_path):
    Image.new("L", (9000, 4000)).save(tmp_path / "huge.png")
    with pytest.raises(MediaError) as caught:
        probe(tmp_path / "huge.png")
    assert str(caught.value) == (
        "Cannot read 'huge.png': its picture has 9000x4000 pixels, at most 35,389,440 are "
        "allowed. Scale it down, or raise max_pixels."
    )
    assert probe(tmp_path / "huge.png", max_pixels=36_000_000).width_px == 9000


def test_a_decompression_bomb_is_refused_in_a_line(tmp_path, monkeypatch):
    Image.new("L", (900, 400)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    with pytest.raises(MediaError) as caught:
        probe(tmp_path / "bomb.png")
    assert str(caught.value) == (
        "Cannot read 'bomb.png': the picture has more than 200,000 pixels. Scale it down."
    )
