"""corrupt: stronger with severity, the same from the same seed, any size; bad input is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.corruptions import CORRUPTIONS, SEVERITIES, corrupt, corrupt_frame
from unmask.errors import UnknownNameError, UsageError

BY_FRAME = [name for name, kind in CORRUPTIONS.items() if kind.act]
every_kind = pytest.mark.parametrize("kind", CORRUPTIONS)


@pytest.fixture(scope="module")
def clip(faces):
    return np.stack(faces(6, 192))


def psnr(a, b):
    return 10 * np.log10(255**2 / ((a.astype(float) - b) ** 2).mean())


@every_kind
def test_damage_grows_with_severity(clip, kind):
    quality = [psnr(clip, corrupt(clip, kind, severity, seed=1)) for severity in SEVERITIES]
    assert quality == sorted(quality, reverse=True)
    assert len(set(quality)) == 5
    assert 5 < quality[-1] < quality[0] < 45


@every_kind
def test_the_same_arguments_give_the_same_pixels(clip, kind):
    before = clip.copy()
    runs = {corrupt(clip, kind, 3, seed=5).tobytes() for _ in range(5)}
    assert len(runs) == 1
    assert np.array_equal(clip, before)  # the input stays


@every_kind
def test_another_seed_changes_what_is_random_and_nothing_else(clip, kind):
    is_equal = np.array_equal(corrupt(clip, kind, 3, seed=5), corrupt(clip, kind, 3, seed=6))
    assert is_equal == (CORRUPTIONS[kind].draws == "nothing")


def test_the_random_bits_are_these_on_every_machine():
    """If this fails, results made before are no longer those made now."""
    gray = np.full((2, 32, 48, 3), 100, np.uint8)
    covered = (corrupt(gray, "block", 1, seed=7)[0] == 128).all(-1)
    assert np.argwhere(covered)[:3].tolist() == [[1, 12], [1, 13], [1, 14]]
    noisy = corrupt(gray, "noise", 1, seed=7)[1, 0, :3]
    assert noisy == pytest.approx(np.array([[113, 98, 114], [92, 105, 100], [122, 111, 85]]), abs=1)


def moved(clip, kind, **options):
    """Whether a clip of equal frames has equal frames afterwards."""
    still = np.repeat(clip[:1], 3, axis=0)
    after = corrupt(still, kind, 3, seed=2, **options)
    return not (np.array_equal(after[0], after[1]) and np.array_equal(after[1], after[2]))


@pytest.mark.parametrize("kind", BY_FRAME)
def test_all_frames_change_alike_but_for_noise(clip, kind):
    assert moved(clip, kind) == (kind == "noise")


def test_blocks_jump_only_if_asked(clip):
    assert moved(clip, "block", jumping=True)
    assert not moved(clip, "blur", jumping=True)


@pytest.mark.parametrize("kind", BY_FRAME)
def test_frame_by_frame_gives_the_clip(clip, kind):
    whole = corrupt(clip, kind, 2, seed=4)
    for index, frame in enumerate(clip):
        assert np.array_equal(corrupt_frame(frame, kind, 2, 4, index), whole[index])


@every_kind
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 3), (3, 7, 1), (1, 33, 47), (2, 64, 65)])
def test_any_size_comes_back_in_its_shape(kind, shape):
    frames = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    for severity in (1, 5):
        after = corrupt(frames, kind, severity)
        assert after.shape == frames.shape
        assert after.dtype == np.uint8
        assert not np.shares_memory(after, frames)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(BY_FRAME),
    severity=st.sampled_from(SEVERITIES),
    value=st.integers(0, 255),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_what_is_plain_gray_stays_plain_where_nothing_is_added(
    kind, severity, value, height, width
):
    plain = np.full((1, height, width, 3), value, np.uint8)
    after = corrupt(plain, kind, severity)
    if kind in ("saturation", "blur", "pixelation"):
        assert np.array_equal(after, plain)
    elif kind == "contrast":
        assert (after == after[0, 0, 0, 0]).all()
    elif kind == "block":
        assert set(np.unique(after)) <= {value, 128}


@every_kind
def test_views_are_taken_as_they_look(clip, kind):
    mirrored = clip[:, ::-1, ::-1]
    assert np.array_equal(
        corrupt(mirrored, kind, 2), corrupt(np.ascontiguousarray(mirrored), kind, 2)
    )


def test_an_unknown_kind_lists_the_known_ones(clip):
    with pytest.raises(UnknownNameError) as caught:
        corrupt(clip, "blurr", 1)
    assert str(caught.value) == (
        "Unknown corruption 'blurr'. Did you mean 'blur'? Known: saturation, contrast, block, "
        "noise, blur, pixelation, compression."
    )
    with pytest.raises(UnknownNameError, match=r"^Unknown corruption 'xyz'\. Known: saturation"):
        corrupt(clip, "xyz", 1)


@pytest.mark.parametrize("severity", [0, 6, -1, 2.5, "3"])
def test_a_severity_out_of_range_is_reported(clip, severity):
    with pytest.raises(UsageError) as caught:
        corrupt(clip, "blur", severity)
    assert str(caught.value) == (
        f"Cannot corrupt with severity {severity!r}: expected a whole number from 1 (mild) to 5 "
        "(strong)."
    )


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), r"\(4, 4, 3\) of uint8: expected \(T, H, W, 3\) RGB"),
        (np.zeros((1, 4, 4, 1), np.uint8), r"\(1, 4, 4, 1\) of uint8: expected"),
        (np.zeros((1, 4, 4, 3), np.float32), "of float32: expected"),
        (np.zeros((0, 4, 4, 3), np.uint8), "it holds no pixel. Give at least one frame."),
        (np.zeros((2, 0, 4, 3), np.uint8), "it holds no pixel"),
    ],
)
def test_what_is_no_clip_is_reported(frames, message):
    for kind in ("blur", "compression"):
        with pytest.raises(UsageError, match=message):
            corrupt(frames, kind, 1)


def test_a_negative_seed_is_reported(clip):
    for kind in CORRUPTIONS:
        with pytest.raises(UsageError, match="seed -1: expected 0 or more"):
            corrupt(clip, kind, 1, seed=-1)


def test_a_single_frame_cannot_be_encoded(clip):
    with pytest.raises(UsageError, match="'compression': it encodes a whole clip"):
        corrupt_frame(clip[0], "compression", 1, 0, 0)
    with pytest.raises(UsageError, match=r"expected \(H, W, 3\)"):
        corrupt_frame(clip, "blur", 1, 0, 0)
