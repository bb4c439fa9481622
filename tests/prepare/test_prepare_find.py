"""One video's sequences: pixels, geometry, gaps, masks, twins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from dataset_trees import write_faceforensics
from scripted_faces import BOX, Script, Store, patch_of, row
from unmask.clips import Cutter, Plan, cut_face, needs
from unmask.errors import DataError, MediaError
from unmask.faces import FaceFinder, Follower
from unmask.media import open_video
from unmask.prepare import PrepareSpec
from unmask.prepare import find as find_module
from unmask.prepare.find import FoundSequence, _stays, find_sequences
from unmask.prepare.windows import windows_of
from unmask.types import FaceObservation, FacePatch, Frame, InputSpec, LabelledVideo, Pixels

NOISE = np.random.default_rng(0).integers(0, 255, (120, 140, 3), np.uint8)


def frames_of(path: Path) -> list[Pixels]:
    with open_video(path) as video:
        return [frame.pixels for frame in video.frames()]


def pictures(found: FoundSequence, store: Store, kind: str = "png") -> list[Pixels]:
    return [store.picture(place) for place in found.stored[kind]]


def on_canvas(one: FoundSequence, place: int, frame: Pixels) -> Pixels:
    """The part of a frame that is stored: of the patch its pixels, around it its border."""
    (x0, y0, x1, y1), (left, top, right, bottom) = one.patches[place], one.canvas
    rows = np.clip(np.arange(top, bottom), y0, y1 - 1)
    columns = np.clip(np.arange(left, right), x0, x1 - 1)
    return frame[np.ix_(rows, columns)]


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 frames of noise, each another: a folder, so that the pixels are known."""
    folder = tmp_path_factory.mktemp("noise") / "frames"
    folder.mkdir()
    for index in range(30):
        Image.fromarray(np.roll(NOISE, 7 * index, axis=1)).save(folder / f"{index:02d}.png")
    return folder


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_faceforensics(tmp_path_factory.mktemp("tree"), [("000", "003")], frames=10)


def forged(tree: Path, level: str = "c23") -> Path:
    return tree / "manipulated_sequences/Deepfakes" / level / "videos/000_003.mp4"


def mask(tree: Path) -> Path:
    return forged(tree, "masks")


def rewrite(path: Path, frames: list[Pixels], target: Path) -> Path:
    folder = target / path.stem
    folder.mkdir(parents=True)
    for index, pixels in enumerate(frames):
        Image.fromarray(pixels).save(folder / f"{index:03d}.png")
    return folder


def test_what_is_stored_is_what_was_decoded(portrait_video: Path, store: Store):
    found = find_sequences(row(portrait_video), PrepareSpec(sequences=2, frames=8), store)
    assert [[f[0] for f in one.frames] for one in found] == [[*range(8)], [*range(42, 50)]]
    decoded = frames_of(portrait_video)
    for one in found:
        for place, (index, time_s, is_real) in enumerate(one.frames):
            stored = pictures(one, store)[place]
            assert np.array_equal(stored, on_canvas(one, place, decoded[index]))
            assert time_s == pytest.approx(index / 25)
            assert is_real
    assert {one.track for one in found} == {0}


def test_every_run_of_frames_lies_in_a_stored_sequence(portrait_video: Path, store: Store):
    spec = PrepareSpec(sequences=None, frames=8, longest=20)
    found = find_sequences(row(portrait_video), spec, store)
    runs = {
        one.frames[at][0]
        for one in found
        for at in range(len(one.frames) - 7)
        if one.frames[at + 7][0] == one.frames[at][0] + 7
    }
    assert runs == set(range(50 - 7))
    assert {len(one.frames) for one in found} <= set(range(8, 21))


@pytest.mark.parametrize(
    ("seen", "stays"),
    [
        ([*range(10)], [range(10)]),
        ([*range(10), *range(12, 20)], [range(20)]),  # two frames without a face
        ([*range(10), *range(15, 25)], [range(10), range(15, 25)]),
        ([3, 4, 5], [range(3, 11)]),  # then dropped: too few of eight
    ],
)
def test_a_stay_ends_in_a_long_gap(seen: list[int], stays: list[range]):
    assert [*_stays(seen, PrepareSpec(sequences=None, frames=8, longest=64))] == stays


def test_clips_cut_from_what_is_stored_are_those_of_scan(portrait_video: Path, store: Store):
    found = find_sequences(row(portrait_video), PrepareSpec(sequences=None, frames=25), store)
    spec = InputSpec(frames=25, hop=25, size=(64, 64), load_size=(72, 72), margin=1.4)
    with open_video(portrait_video) as video:
        plan = Plan([spec], video.info.fps)
        follow = Follower(FaceFinder(threads=1), needs([spec]))
        clips = list(Cutter(plan)(follow(video.frames(plan.wants))))
    assert len(found) == len(clips) == 2
    for one, clip in zip(found, clips, strict=True):
        for place, stored in enumerate(pictures(one, store)):
            observation = FaceObservation(
                track_id=0,
                frame_index=place,
                time_s=0.0,
                box_px=one.box_px[place],
                landmarks_px=one.points_px[place],
                confidence=1.0,
            )
            patch = FacePatch(
                observation=observation,
                pixels=stored,
                origin_px=(0, 0),
                frame_size_px=(stored.shape[1], stored.shape[0]),
            )
            assert np.array_equal(cut_face(patch, spec)[0], clip.pixels[place])


def test_moments_hold_the_face_with_room_around_it(portrait_video: Path, store: Store):
    found = find_sequences(row(portrait_video), PrepareSpec(), store)
    assert len(found) == 4  # two a second, and the video lasts two
    assert store.names == [f"{number:05d}/000.png" for number in range(4)]
    for one in found:
        (picture,) = pictures(one, store)
        height, width = picture.shape[:2]
        assert (width, height) == one.size
        x0, y0, x1, y1 = one.box_px[0]
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert ((one.points_px[0] > [x0, y0]) & (one.points_px[0] < [x1, y1])).all()
        assert max(width, height) > 1.3 * max(x1 - x0, y1 - y0)


def test_at_most_so_many_moments_of_each_person_evenly_spread(
    tmp_path: Path, store: Store, encode: Callable[..., Path], faces: Callable[..., list[Pixels]]
):
    video = encode(tmp_path / "long.mp4", faces(250, 160))
    found = find_sequences(row(video), PrepareSpec(sequences=4), store)
    times = [one.frames[0][1] for one in found]
    assert {one.track for one in found} == {0}
    assert len(times) == len(store.names) == 4
    assert times[0] < 0.1
    assert times[-1] > 9
    assert np.ptp(np.diff(times)) < 0.8


def test_one_person_over_distant_windows_is_one_person(
    tmp_path: Path, store: Store, encode: Callable[..., Path], faces: Callable[..., list[Pixels]]
):
    video = encode(tmp_path / "long.mp4", faces(220, 160))
    found = find_sequences(row(video), PrepareSpec(sequences=3, frames=6), store)
    assert [one.frames[0][0] for one in found] == [0, 107, 214]
    assert {one.track for one in found} == {0}
    assert all(is_real for one in found for _, _, is_real in one.frames)


def test_people_are_told_apart_and_ordered(two_people_video: Path, store: Store):
    found = find_sequences(row(two_people_video), PrepareSpec(sequences=2, frames=6), store)
    assert [(one.track, one.frames[0][0]) for one in found] == [(0, 0), (0, 44), (1, 0), (1, 44)]


def test_too_small_faces_give_nothing(portrait_video: Path, store: Store):
    assert find_sequences(row(portrait_video), PrepareSpec(min_face_px=200.0), store) == []
    assert store.names == []


def test_a_moving_face_lies_on_a_canvas_that_holds_its_whole_way(
    noise: Path, store: Store, follow_script: Callable[[Script], None]
):
    follow_script(lambda frame: [patch_of(frame, 0, (3 * frame.index, 2 * frame.index))])
    (found,) = find_sequences(row(noise), PrepareSpec(sequences=1, frames=5), store)
    assert found.canvas == (5, 9, 60 + 12 + 15, 74 + 8 + 15)
    decoded = frames_of(noise)
    for place, stored in enumerate(pictures(found, store)):
        x, y = 3 * place, 2 * place
        assert stored.shape == (88, 82, 3)
        there = (slice(y, y + 80), slice(x, x + 70))  # where the patch itself lies
        assert np.array_equal(stored[there], decoded[place][9:97, 5:87][there])
        assert np.array_equal(found.box_px[place], BOX + np.array([x - 5, y - 9, x - 5, y - 9]))
    assert np.array_equal(
        pictures(found, store)[0][80:], pictures(found, store)[0][79:80].repeat(8, 0)
    )


def test_missing_frames_repeat_the_one_before_and_are_marked(
    noise: Path, store: Store, follow_script: Callable[[Script], None]
):
    there = {1, 2, 3, 5, 6, 7, 8, 9}  # of the first ten; 8 of 10 are enough
    follow_script(lambda f: [patch_of(f, 0, (0, 0))] if f.index in there else [])
    (found,) = find_sequences(row(noise), PrepareSpec(sequences=1, frames=10), store)
    assert [frame[0] for frame in found.frames] == [1, 1, 2, 3, 3, 5, 6, 7, 8, 9]
    assert [frame[2] for frame in found.frames] == [False, *[True] * 3, False, *[True] * 5]
    first, second, *_ = pictures(found, store)
    assert np.array_equal(first, second)
    assert len(store.names) == 8  # a repeated frame is stored once


def test_sequences_with_too_many_frames_missing_are_dropped(
    noise: Path, store: Store, follow_script: Callable[[Script], None]
):
    follow_script(lambda f: [] if f.index in (3, 4, 5) else [patch_of(f, 0, (0, 0))])
    found = find_sequences(row(noise), PrepareSpec(sequences=None, frames=10), store)
    assert [one.frames[0][0] for one in found] == [10, 20]


def test_a_person_who_leaves_half_way_gives_the_windows_before(
    noise: Path, store: Store, follow_script: Callable[[Script], None]
):
    def script(frame: Frame) -> Iterator[FacePatch]:
        yield patch_of(frame, 0, (0, 0))
        if frame.index < 12:
            yield patch_of(frame, 1, (30, 0))

    follow_script(script)
    found = find_sequences(row(noise), PrepareSpec(sequences=None, frames=10), store)
    assert [(one.track, one.frames[0][0]) for one in found] == [(0, 0), (0, 10), (0, 20), (1, 0)]


def test_a_slow_video_stores_a_repeated_frame_once(
    noise: Path, store: Store, follow_script: Callable[[Script], None]
):
    follow_script(lambda frame: [patch_of(frame, 0, (0, 0))])
    (found,) = find_sequences(
        row(noise), PrepareSpec(sequences=1, frames=8, fps=50.0), store
    )  # kept at 25
    assert [frame[0] for frame in found.frames] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert all(frame[2] for frame in found.frames)
    assert len(store.names) == 4


def test_windows_are_stored_while_the_video_still_runs(
    noise: Path, follow_script: Callable[[Script], None]
):
    latest, stored_at = [0], []

    def script(frame: Frame) -> Iterable[FacePatch]:
        latest[0] = frame.index
        return [patch_of(frame, 0, (0, 0))]

    class Watched(Store):
        def __call__(self, name: str, data: bytes):
            stored_at.append((name.split("/")[0], latest[0]))
            return super().__call__(name, data)

    follow_script(script)
    find_sequences(row(noise), PrepareSpec(sequences=None, frames=10), Watched())
    assert set(stored_at) == {("00000", 10), ("00001", 20), ("00002", 29)}


def test_runs_leave_as_soon_as_they_are_past(noise: Path):
    with open_video(noise) as video:
        spec = PrepareSpec(sequences=None, frames=10)
        windows = windows_of(video.info, spec)
        seen: list[int] = []

        def patches() -> Iterator[FacePatch]:
            for frame in video.frames(windows.wants):
                seen.append(frame.index)
                yield patch_of(frame, 0, (0, 0))

        runs = find_module._runs(patches(), windows, spec)
        assert len(next(runs)) == 10
        assert seen[-1] == 10
        assert windows.places(9) == []  # forgotten: memory does not grow with the video


@pytest.mark.parametrize("frames", [1, 4])
def test_large_faces_are_reduced_with_their_geometry(
    noise: Path, store: Store, follow_script: Callable[[Script], None], frames: int
):
    follow_script(lambda frame: [patch_of(frame, 0, (frame.index, 0))])
    spec = PrepareSpec(sequences=1, frames=frames, min_face_px=10.0, largest_face_px=23.0)
    (found,) = find_sequences(row(noise), spec, store)
    x0, y0, x1, y1 = found.canvas
    width, height = found.size
    assert (width, height) == (round((x1 - x0) * 23 / 50), round((y1 - y0) * 23 / 50))
    share = np.array([width / (x1 - x0), height / (y1 - y0)])  # each side by itself
    for place, stored in enumerate(pictures(found, store)):
        assert stored.shape == (height, width, 3)
        box = (BOX.reshape(2, 2) + np.array([place - x0, -y0])) * share
        assert np.allclose(found.box_px[place].reshape(2, 2), box, atol=1e-4)
        inside = found.points_px[place]
        assert ((inside > box[0]) & (inside < box[1])).all()
    index = found.frames[-1][0]
    left = int(BOX[0]) + index - 15 - x0  # the last patch ends where the canvas does
    canvas = frames_of(noise)[index][y0:y1, x0:x1]
    canvas[:, :left] = canvas[:, left : left + 1]
    small = cv2.resize(canvas, found.size, interpolation=cv2.INTER_AREA)
    assert np.array_equal(pictures(found, store)[-1], small)


def test_a_photograph_and_its_mask(face_image_file: Path, tmp_path: Path, store: Store):
    sheet = np.zeros((512, 512), np.uint8)
    sheet[100:140, 200:240] = 255
    sheet[150, 222] = 77
    Image.fromarray(sheet).save(tmp_path / "mask.png")
    video = row(face_image_file, 1, mask_path=tmp_path / "mask.png")
    (found,) = find_sequences(video, PrepareSpec(), store)
    x0, y0, x1, y1 = found.canvas
    (stored,) = pictures(found, store, "mask.png")
    assert np.array_equal(stored, sheet[y0:y1, x0:x1])
    (picture,) = pictures(found, store)
    assert np.array_equal(picture, np.asarray(Image.open(face_image_file))[y0:y1, x0:x1])


@pytest.mark.parametrize("spec", [PrepareSpec(), PrepareSpec(sequences=2, frames=4)])
def test_masks_and_twins_are_the_same_pixels(tree: Path, store: Store, spec: PrepareSpec):
    video = row(forged(tree), 1, mask_path=mask(tree))
    found = find_sequences(video, spec, store, twin=forged(tree, "c40"))
    assert found
    masks, twins = frames_of(mask(tree)), frames_of(forged(tree, "c40"))
    for one in found:
        for place, (index, _, _) in enumerate(one.frames):
            gray = on_canvas(one, place, masks[index]).max(axis=2)
            assert np.array_equal(pictures(one, store, "mask.png")[place], gray)
            twin = on_canvas(one, place, twins[index])
            assert np.array_equal(pictures(one, store, "twin.png")[place], twin)
    assert store.names[-1].endswith(".twin.png")


def test_a_repeated_frame_has_its_mask_once(
    tree: Path, store: Store, follow_script: Callable[[Script], None]
):
    follow_script(lambda f: [] if f.index == 2 else [patch_of(f, 0, (0, 0))])
    video = row(forged(tree), 1, mask_path=mask(tree))
    (found,) = find_sequences(video, PrepareSpec(sequences=1, frames=5), store)
    assert found.stored["mask.png"][1] == found.stored["mask.png"][2]
    assert [name for name in store.names if "mask" in name] == [
        f"00000/{place:03d}.mask.png" for place in (0, 1, 3, 4)
    ]


def test_a_mask_that_goes_on_behind_the_last_frame_is_taken(
    tree: Path, tmp_path: Path, store: Store
):
    frames = frames_of(mask(tree))
    longer = rewrite(mask(tree), [*frames, *frames[:3]], tmp_path)
    found = find_sequences(
        row(forged(tree), 1, mask_path=longer), PrepareSpec(sequences=2, frames=4), store
    )
    assert len(found) == 2


def test_a_mask_of_another_size_is_refused(tree: Path, tmp_path: Path, store: Store):
    small = rewrite(mask(tree), [f[::2, ::2] for f in frames_of(mask(tree))], tmp_path)
    with pytest.raises(
        DataError, match=r"the mask '.*000_003': its pictures are 80x80, those of the video 160x160"
    ):
        find_sequences(row(forged(tree), 1, mask_path=small), PrepareSpec(), store)
    assert store.names == []


def test_a_mask_with_too_few_frames_is_refused(tree: Path, tmp_path: Path, store: Store):
    short = rewrite(mask(tree), frames_of(mask(tree))[:7], tmp_path)
    with pytest.raises(
        DataError,
        match=r"the mask '.*000_003': it lacks 3 of the video's frames, the first of them number 7",
    ):
        find_sequences(
            row(forged(tree), 1, mask_path=short), PrepareSpec(sequences=1, frames=10), store
        )


@pytest.mark.parametrize("change", [-1, 1])
def test_a_twin_with_another_number_of_frames_is_refused(
    tree: Path, tmp_path: Path, store: Store, change: int
):
    frames = frames_of(forged(tree, "c40"))
    other = rewrite(forged(tree), frames[:change] if change < 0 else [*frames, frames[0]], tmp_path)
    with pytest.raises(DataError, match=rf"twin '.*': it has {10 + change} frames, the video 10"):
        find_sequences(row(forged(tree)), PrepareSpec(sequences=1, frames=4), store, twin=other)


def test_a_twin_that_cannot_be_read_is_named(tree: Path, text_mp4: Path, store: Store):
    with pytest.raises(MediaError, match=r"text\.mp4"):
        find_sequences(row(forged(tree)), PrepareSpec(), store, twin=text_mp4)


def test_a_damaged_video_is_not_counted_along_with_its_mask(
    truncated_video: Path, portrait_video: Path, store: Store
):
    whole = row(truncated_video)
    assert find_sequences(whole, PrepareSpec(sequences=1, frames=5), store)  # by itself it serves
    with pytest.raises(
        DataError, match=r"which frames of '.*truncated\.mp4' belong to those of its mask: "
    ):
        find_sequences(
            row(truncated_video, 1, mask_path=portrait_video),
            PrepareSpec(sequences=1, frames=5),
            store,
        )


def test_a_damaged_mask_is_named(portrait_video: Path, truncated_video: Path, store: Store):
    video = row(portrait_video, 1, mask_path=truncated_video)
    with pytest.raises(DataError, match=r"which frames of '.*truncated\.mp4' belong"):
        find_sequences(video, PrepareSpec(sequences=1, frames=5), store)


def test_media_are_only_read(tree: Path, store: Store):
    files = [forged(tree), forged(tree, "c40"), mask(tree)]
    for file in files:
        file.chmod(0o444)
    before = [(file.read_bytes(), file.stat().st_mtime_ns) for file in files]
    find_sequences(row(files[0], 1, mask_path=files[2]), PrepareSpec(), store, twin=files[1])
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in files] == before
    assert sorted(p.name for p in files[0].parent.iterdir()) == ["000_003.mp4", "003_000.mp4"]


def test_points_are_stored_where_every_frame_has_them(
    noise: Path,
    store: Store,
    follow_script: Callable[[Script], None],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(find_module, "load_landmarks", lambda: None)
    follow_script(lambda f: [patch_of(f, 0, (f.index, 0), points68=f.index < 14)])
    found = find_sequences(row(noise), PrepareSpec(sequences=None, frames=10, landmarks=68), store)
    assert [one.points68_px is not None for one in found] == [True, False, False]
    points = found[0].points68_px
    assert points is not None
    assert points[:, 7].tolist() == [[15.0 + place, 15.0] for place in range(10)]
    assert np.isnan(found[1].records["points68"]).all()


def test_found_of_a_folder_of_frames(image_folder: Path, store: Store):
    video = LabelledVideo(path=image_folder, label=0, dataset="d", split="train")
    (found,) = find_sequences(video, PrepareSpec(sequences=1, frames=12), store)
    assert len(found.frames) == 12
