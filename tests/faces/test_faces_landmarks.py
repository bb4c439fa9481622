"""68 points: the package's network with random weights, and the file that it is read from."""

from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from synthetic_faces import FakeFinder, Spot, noise, numbered_frames
from unmask.errors import MissingDependencyError, WeightsError
from unmask.faces import POINT_WEIGHTS, Follower, PointFinder, landmarks_missing_reason
from unmask.types import FaceObservation, Floats, Pixels

INSTALL = "install face-alignment: pip install 'unmask[landmarks]'"


@pytest.fixture(scope="module")
def models():
    return pytest.importorskip("face_alignment.models", reason="face-alignment is not installed")


class Peaks(nn.Module):
    """Heat maps with one peak each, at given cells of 64 x 64."""

    def __init__(self, cells: np.ndarray) -> None:
        super().__init__()
        self.cells, self.seen = cells, torch.zeros(0)

    def forward(self, faces: Tensor) -> list[Tensor]:
        self.seen = faces
        heat = torch.zeros(1, 68, 64, 64)
        for number, (x, y) in enumerate(self.cells):
            heat[0, number, y, x] = 1.0
        return [torch.zeros_like(heat), heat]


@pytest.mark.usefixtures("models")
def test_points_lie_where_the_heat_maps_peak_in_the_frame():
    cells = np.stack(np.meshgrid(np.arange(4, 60, 8), np.arange(4, 64, 6)), -1).reshape(-1, 2)[:68]
    find = PointFinder(Peaks(cells))
    box = np.array([100.0, 80.0, 260.0, 280.0], np.float32)
    (points,) = find(noise(400, 480), box[None])
    side = 200 * (160 + 200) / 165
    left, top = 180 - side / 2, 180 - 0.12 * 200 - side / 2
    np.testing.assert_allclose(points, (left, top) + (cells + 0.5) * side / 64, atol=2)
    assert points.dtype == np.float32


@pytest.mark.usefixtures("models")
def test_the_network_sees_the_face_in_color_and_black_outside_the_frame():
    net = Peaks(np.full((68, 2), 32))
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[...] = (255, 128, 0)
    PointFinder(net)(pixels, np.array([[0.0, 60.0, 100.0, 160.0]], np.float32))
    assert net.seen.shape == (1, 3, 256, 256)
    assert net.seen[0, :, 128, 180].tolist() == pytest.approx([1, 128 / 255, 0])
    assert not net.seen[0, :, 128, 20].any()


def test_the_packages_network_gives_68_points_of_every_face_in_the_frame(models):
    torch.manual_seed(0)
    find = PointFinder(models.FAN(1))
    picture = noise(300, 400)
    boxes = np.array([[20, 30, 120, 150], [250, 100, 399, 260]], np.float32)
    points = find(picture, boxes)
    assert points.shape == (2, 68, 2)
    assert points.dtype == np.float32
    for (x0, y0, x1, y1), of_face in zip(boxes, points, strict=True):
        reach = 100 * (x1 - x0 + y1 - y0) / 165 + 2
        offset = np.abs(of_face - ((x0 + x1) / 2, (y0 + y1) / 2 - 0.12 * (y1 - y0)))
        assert offset.max() <= reach
    assert np.array_equal(find(picture, boxes[1:]), points[1:])
    assert find(picture, boxes[:0]).shape == (0, 68, 2)


def test_they_are_those_that_the_package_itself_gives_for_a_box(models, monkeypatch):
    from face_alignment import api, utils

    for name in ("_get_preds_fromhm", "transform_np"):  # compiling them would take seconds
        monkeypatch.setattr(utils, name, getattr(utils, name).py_func)
    torch.manual_seed(0)
    net = models.FAN(1).eval()
    whole = object.__new__(api.FaceAlignment)
    whole.device, whole.dtype, whole.flip_input, whole.max_batch_size = (
        "cpu",
        torch.float32,
        False,
        1,
    )
    whole.landmarks_type, whole.face_alignment_net = api.LandmarksType.TWO_D, net
    whole.face_detector = type("WiderFace", (), {"reference_scale": 165})()
    picture, box = noise(300, 400), np.array([60.5, 30.25, 220.0, 230.0], np.float32)
    (expected,) = whole.get_landmarks_from_image(picture, [box.astype(float)])
    (points,) = PointFinder(net)(picture, box[None])
    # Fractions are cut off: where there are none, the order of sums may decide about a pixel.
    np.testing.assert_allclose(points, expected, atol=1)
    assert (points == expected).mean() > 0.95


def saved(models, path: Path, stacks: int, *, is_old: bool = False) -> str:
    """Writes random weights as they are published; returns the file's hash."""
    torch.manual_seed(0)
    net = models.FAN(stacks)
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=not is_old)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_published_file_is_read_and_gives_points(models, tmp_path: Path):
    path = tmp_path / "fan.pth.tar"
    find = PointFinder.load(path, sha256=saved(models, path, 4, is_old=True))
    assert find(noise(200, 200), np.array([[40, 40, 140, 160]], np.float32)).shape == (1, 68, 2)


@pytest.mark.usefixtures("models")
def test_a_missing_a_damaged_and_a_wrong_file_are_told_apart(models, tmp_path: Path):
    path = tmp_path / "fan.pth.tar"
    with pytest.raises(WeightsError, match=r"No weights at .*unmask weights download landmarks"):
        PointFinder.load(path)
    digest = saved(models, path, 1)
    with pytest.raises(WeightsError) as caught:
        PointFinder.load(path)
    assert str(caught.value) == (
        f"Weights '{path}' are damaged: sha256 is {digest[:8]}…, expected 11f355bf…. "
        "Delete the file and run: unmask weights download landmarks"
    )
    with pytest.raises(WeightsError, match=r"do not fit: .*RuntimeError.*pip install 'unmask\["):
        PointFinder.load(path, sha256=digest)


@pytest.mark.usefixtures("models")
def test_a_file_that_would_run_code_runs_none(tmp_path: Path):
    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / "fan.pth.tar"
    for write in (torch.save, lambda thing, to: to.write_bytes(pickle.dumps(thing, 2))):
        write({"conv1.weight": Evil()}, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with pytest.raises(WeightsError, match="do not fit"):
            PointFinder.load(path, sha256=digest)
    assert not (tmp_path / "ran").exists()


def test_without_the_package_the_message_gives_the_command(monkeypatch, tmp_path: Path):
    for name in ("face_alignment", "face_alignment.models", "face_alignment.utils"):
        monkeypatch.setitem(sys.modules, name, None)
    message = r"face_alignment is not installed. Install it with: pip install 'unmask\[landmarks\]'"
    for build in (lambda: PointFinder.load(tmp_path / "x"), lambda: PointFinder(nn.Identity())):
        with pytest.raises(MissingDependencyError, match=message):
            build()


@pytest.mark.parametrize("is_installed", [True, False])
@pytest.mark.parametrize("is_here", [True, False])
def test_what_is_missing_is_named_with_the_commands_that_bring_it(
    is_installed: bool, is_here: bool, monkeypatch, tmp_path: Path
):
    spec = object() if is_installed else None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    path = tmp_path / POINT_WEIGHTS.file
    if is_here:
        path.write_bytes(b"")
    fetch = f"download its weights to '{path}': unmask weights download landmarks"
    expected = {
        (True, True): None,
        (False, True): f"For 68 points, {INSTALL}",
        (True, False): f"For 68 points, {fetch}",
        (False, False): f"For 68 points, {INSTALL}; and {fetch}",
    }
    assert landmarks_missing_reason(path) == expected[is_installed, is_here]


def test_the_address_names_the_hash():
    assert f"-{POINT_WEIGHTS.sha256[:10]}." in POINT_WEIGHTS.url
    assert POINT_WEIGHTS.file.endswith(POINT_WEIGHTS.url.rpartition("/")[2])
    assert len(POINT_WEIGHTS.sha256) == 64
    assert POINT_WEIGHTS.license


def whole(_seen: FaceObservation, frame_size: tuple[int, int]) -> tuple[int, int, int, int]:
    return (0, 0, *frame_size)


def test_a_follower_asks_for_points_in_wanted_frames_of_faces_that_are_cut():
    asked: list[tuple[int, Floats]] = []

    def points(pixels: Pixels, boxes: Floats) -> Floats:
        asked.append((int(pixels[0, 1, 0]), boxes))
        return np.stack([np.full((68, 2), box[0], np.float32) for box in boxes])

    finder = FakeFinder(lambda i: [Spot(80, 100, 60), Spot(240, 100, 100), Spot(160, 30, 20)])
    follower = Follower(
        finder, whole, find_points=points, wants_points=lambda index: index % 2 == 0
    )
    patches = list(follower(numbered_frames([i / 25 for i in range(6)])))
    assert [frame for frame, _ in asked] == [0, 2, 4]
    assert len(patches) == 12
    for patch in patches:
        seen = patch.observation
        if seen.frame_index % 2:
            assert seen.points68_px is None
        else:
            assert seen.points68_px.shape == (68, 2)
            assert (seen.points68_px == seen.box_px[0]).all()
        assert seen.landmarks_px.shape == (5, 2)
    for _, boxes in asked:
        np.testing.assert_allclose(boxes[:, 0], [190, 50])
    # What is kept of a whole video is five points, as without the source.
    assert len(follower.tracks()) == 3
    assert all(o.points68_px is None for t in follower.tracks() for o in t.observations)


def test_needs_know_the_points_before_the_patch_is_cut():
    given: list[bool] = []

    def needs(seen: FaceObservation, frame_size: tuple[int, int]) -> tuple[int, int, int, int]:
        given.append(seen.points68_px is not None)
        return whole(seen, frame_size)

    finder = FakeFinder(lambda i: [Spot(100, 100)])
    follower = Follower(
        finder, needs, find_points=lambda _p, boxes: np.zeros((len(boxes), 68, 2), np.float32)
    )
    assert len(list(follower(numbered_frames([0.0, 0.04, 0.08])))) == 3
    assert given == [True] * 3
