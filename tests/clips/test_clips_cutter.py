from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
import pytest
import torch

from synthetic_faces import Spot, observation
from unmask.clips import Cutter, Plan, cut_face, normalize, to_tensor
from unmask.clips import cut as cut_module
from unmask.types import Clip, FacePatch, InputSpec

FPS = 25


def stream(
    plan: Plan, shown: dict[int, Iterable[int]], count: int, fps: float = FPS
) -> Iterator[FacePatch]:
    """Patches of ``count`` frames; ``shown`` says which tracks in which frames."""
    frames = {track: set(indices) for track, indices in shown.items()}
    for index in range(count):
        if not plan.wants(index, index / fps, None if index == count - 1 else (index + 1) / fps):
            continue
        for track, indices in frames.items():
            if index in indices:
                yield FacePatch(
                    observation=observation(
                        Spot(40, 40, 40), track=track, index=index, time_s=index / fps
                    ),
                    pixels=np.full((80, 80, 3), index % 256, np.uint8),
                    origin_px=(0, 0),
                    frame_size_px=(80, 80),
                )


def clips_of(
    specs: list[InputSpec], shown: dict[int, Iterable[int]], count: int, fps: int = FPS
) -> tuple[list[Clip], Cutter]:
    plan = Plan(specs, Fraction(fps))
    cutter = Cutter(plan)
    return list(cutter(stream(plan, shown, count, fps))), cutter


def spec(**changes: object) -> InputSpec:
    return InputSpec(**{"size": (8, 8), "frames": 5, "hop": 5, **changes})  # type: ignore[arg-type]


def indices(clips: list[Clip]) -> list[list[int]]:
    return [c.frame_indices.tolist() for c in clips]


def test_an_image_detector_gets_one_clip_for_each_frame():
    clips, _ = clips_of([spec(frames=1, hop=1)], {0: range(6)}, 6)
    assert indices(clips) == [[i] for i in range(6)]
    assert clips[3].pixels.shape == (1, 8, 8, 3)
    assert (clips[3].pixels == 3).all()
    assert clips[3].times_s.tolist() == [pytest.approx(3 / FPS)]
    assert clips[3].face_px == pytest.approx(40)


def test_windows_follow_each_other_by_hop():
    clips, cutter = clips_of([spec(frames=5, hop=3)], {0: range(12)}, 12)
    assert indices(clips) == [[0, 1, 2, 3, 4], [3, 4, 5, 6, 7], [6, 7, 8, 9, 10]]
    assert all(c.is_real_frame.all() for c in clips)
    assert clips[1].regions_px.shape == (5, 4)
    assert cutter.clips_dropped == 0


def test_a_hop_longer_than_the_clip_leaves_frames_out():
    clips, _ = clips_of([spec(frames=2, hop=5)], {0: range(12)}, 12)
    assert indices(clips) == [[0, 1], [5, 6], [10, 11]]


def test_stride_and_rate_reach_the_clips():
    clips, _ = clips_of([spec(frames=3, hop=3, fps=12.5, stride=2)], {0: range(12)}, 12)
    assert indices(clips) == [[0, 4, 8]]


def test_a_slow_video_repeats_its_frames_as_real_ones():
    clips, _ = clips_of([spec(frames=4, hop=4, fps=10.0)], {0: range(4)}, 4, fps=5)
    assert indices(clips) == [[0, 0, 1, 1], [2, 2, 3, 3]]
    assert all(c.is_real_frame.all() for c in clips)


def test_a_missing_frame_repeats_the_last_one_and_is_marked():
    clips, cutter = clips_of([spec()], {0: [0, 1, 2, 4]}, 5)
    assert indices(clips) == [[0, 1, 2, 2, 4]]
    assert clips[0].is_real_frame.tolist() == [True, True, True, False, True]
    assert (clips[0].pixels[3] == 2).all()
    assert cutter.clips_dropped == 0


def test_a_clip_under_four_fifths_real_is_dropped_and_counted():
    clips, cutter = clips_of([spec()], {0: [0, 1, 4, *range(5, 10)]}, 10)
    assert indices(clips) == [[5, 6, 7, 8, 9]]
    assert cutter.clips_dropped == 1


def test_a_person_seen_too_shortly_gets_one_padded_clip():
    clips, cutter = clips_of([spec()], {0: range(4)}, 20)
    assert indices(clips) == [[0, 1, 2, 3, 3]]
    assert clips[0].is_real_frame.tolist() == [True] * 4 + [False]
    assert cutter.clips_dropped == 0


def test_a_person_seen_far_too_shortly_gets_none_and_is_counted():
    clips, cutter = clips_of([spec()], {0: range(3)}, 20)
    assert clips == []
    assert cutter.clips_dropped == 1


def test_the_rest_behind_a_full_clip_is_not_padded():
    clips, cutter = clips_of([spec()], {0: range(9)}, 9)
    assert indices(clips) == [[0, 1, 2, 3, 4]]
    assert cutter.clips_dropped == 0


def test_after_a_long_gap_clips_begin_anew():
    clips, cutter = clips_of([spec()], {0: [*range(5), *range(30, 36)]}, 40)
    assert indices(clips) == [[0, 1, 2, 3, 4], [30, 31, 32, 33, 34]]
    assert cutter.clips_dropped == 0


def test_persons_are_never_mixed():
    clips, _ = clips_of([spec()], {7: range(10), 9: range(5, 10)}, 10)
    assert sorted((c.track_id, *c.frame_indices.tolist()) for c in clips) == [
        (7, 0, 1, 2, 3, 4),
        (7, 5, 6, 7, 8, 9),
        (9, 5, 6, 7, 8, 9),
    ]


def test_equal_specs_are_cut_once(monkeypatch: pytest.MonkeyPatch):
    asked: list[InputSpec] = []

    def counting(patch: FacePatch, wanted: InputSpec):  # type: ignore[no-untyped-def]
        asked.append(wanted)
        return cut_face(patch, wanted)

    monkeypatch.setattr(cut_module, "cut_face", counting)
    one, other = spec(frames=1, hop=1), spec(frames=1, hop=1, size=(16, 16))
    clips, _ = clips_of([one, other, spec(frames=1, hop=1)], {0: range(4)}, 4)
    assert len(asked) == len(clips) == 8


def test_a_frame_that_fills_several_slots_is_cut_once(monkeypatch: pytest.MonkeyPatch):
    asked: list[InputSpec] = []

    def counting(patch: FacePatch, wanted: InputSpec):  # type: ignore[no-untyped-def]
        asked.append(wanted)
        return cut_face(patch, wanted)

    monkeypatch.setattr(cut_module, "cut_face", counting)
    clips, _ = clips_of([spec(frames=1, hop=1, fps=10.0)], {0: range(3)}, 3, fps=2)
    assert len(clips) == 15
    assert len(asked) == 3


def test_a_clip_leaves_when_it_is_full():
    plan = Plan([spec()], Fraction(FPS))
    consumed = 0

    def counted() -> Iterator[FacePatch]:
        nonlocal consumed
        for patch in stream(plan, {0: range(100)}, 100):
            consumed += 1
            yield patch

    next(Cutter(plan)(counted()))
    assert consumed == 5


def test_what_is_held_follows_who_is_there_and_not_who_was():
    people = {track: range(10 * track, 10 * track + 8) for track in range(60)}
    plan = Plan([spec(frames=5, hop=1)], Fraction(FPS))
    cutter = Cutter(plan)
    most = 0
    for _ in cutter(stream(plan, people, 600)):
        held = sum(len(strip.pictures) for strip in cutter._strips.values())
        most = max(most, held)
    assert most <= 12


def test_normalize_can_be_undone():
    wanted = InputSpec(
        size=(8, 8), frames=5, hop=5, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    )
    clips, _ = clips_of([wanted], {0: range(10)}, 10)
    tensor = to_tensor(clips)
    assert tensor.shape == (2, 3, 5, 8, 8)
    assert tensor.dtype == torch.float32
    mean, std = (torch.tensor(v).view(3, 1, 1, 1) for v in (wanted.mean, wanted.std))
    back = ((tensor * std + mean) * 255).round().to(torch.uint8).permute(0, 2, 3, 4, 1)
    np.testing.assert_array_equal(back.numpy(), np.stack([c.pixels for c in clips]))


def test_normalize_of_zero_and_full():
    wanted = InputSpec(mean=(0.5, 0.0, 0.0), std=(0.5, 1.0, 1 / 255))
    pixels = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2, 1).expand(1, 1, 1, 2, 3)
    tensor = normalize(pixels, wanted)
    expected = torch.tensor([[-1.0, 1.0], [0.0, 1.0], [0.0, 255.0]])
    torch.testing.assert_close(tensor[0, :, 0, 0], expected)
