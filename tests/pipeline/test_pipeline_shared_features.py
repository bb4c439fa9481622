"""Overlapping clips that share their frames' features against the same clips one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import toy_detectors
from detector_families import by_family
from unmask.clips import to_tensor
from unmask.detectors import Card, Detector, Output, get_card
from unmask.errors import UsageError
from unmask.pipeline import shared_features
from unmask.pipeline.scorer import ClipBatch
from unmask.pipeline.shared_features import SharedFeatures, scorer_for
from unmask.types import Clip, DetectorUse, InputSpec
from unmask.weights import load_detector

LIPS = "lipforensics"
TOY = InputSpec(size=(8, 8), frames=6, hop=2)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ready(network: nn.Module, card: Card) -> Detector:
    use = DetectorUse(name=card.name, weights="untrained", sha256="", license="", trained_on="")
    return Detector(network=network.eval(), card=card, weights=use)


def toy(context: int, spec: InputSpec = TOY) -> Detector:
    """A toy whose card tells the truth; it stands in no registry."""
    torch.manual_seed(0)
    card = replace(get_card(LIPS), input=spec, frame_context=context)
    return ready(toy_detectors.Recurrent(context), card)


def with_hop(detector: Detector, hop: int, size: tuple[int, int]) -> Detector:
    """With clips that overlap, and smaller pictures."""
    spec = replace(detector.card.input, hop=hop, size=size, load_size=None)
    return replace(detector, card=replace(detector.card, input=spec))


def picture(spec: InputSpec, track_id: int, index: int) -> np.ndarray:
    """Noise that belongs to this frame of this person."""
    shape = (*spec.size, 3 if spec.color == "rgb" else 1)
    return np.random.default_rng([track_id, index]).integers(0, 256, shape, dtype=np.uint8)


def clips_of(
    spec: InputSpec, slots: int, track_id: int = 0, missing: Sequence[int] = (), start: int = 0
) -> list[Clip]:
    """The clips of one person seen from frame ``start`` on; a missing frame repeats the last."""
    indices, real = [], []
    for slot in range(slots):
        real.append(slot == 0 or slot not in missing)
        indices.append(start + slot if real[-1] else indices[-1])
    clips = []
    for first in range(0, slots - spec.frames + 1, spec.hop):
        window = slice(first, first + spec.frames)
        clips.append(
            Clip(
                track_id=track_id,
                spec=spec,
                pixels=np.stack([picture(spec, track_id, i) for i in indices[window]]),
                frame_indices=np.array(indices[window], np.int64),
                times_s=np.array(indices[window]) / 25,
                is_real_frame=np.array(real[window]),
                regions_px=np.zeros((spec.frames, 4), np.float32),
                face_px=100.0,
            )
        )
    return clips


def together(*streams: list[Clip]) -> list[Clip]:
    """Clips of several people in the order in which they fill."""
    return sorted((c for stream in streams for c in stream), key=lambda c: c.frame_indices[-1])


def joined(outputs: Sequence[Output]) -> Output:
    return Output(
        logit=torch.cat([o.logit for o in outputs]),
        embedding=torch.cat([o.embedding for o in outputs if o.embedding is not None]),
    )


def shared(net: Detector, clips: list[Clip], batch: int = 1) -> Output:
    scorer = scorer_for(net)
    assert isinstance(scorer, SharedFeatures)
    with torch.inference_mode():
        return joined(
            [scorer.output(ClipBatch(clips[i : i + batch])) for i in range(0, len(clips), batch)]
        )


def one_by_one(net: Detector, clips: list[Clip]) -> Output:
    with torch.no_grad():
        return joined([net(to_tensor([clip])) for clip in clips])


def deviation(got: Output, expected: Output) -> float:
    """The largest difference of logits and embeddings, relative to the size of the embedding."""
    assert got.embedding is not None and expected.embedding is not None
    size = float(expected.embedding.abs().max())
    logits = float((got.logit - expected.logit).abs().max())
    return max(logits, float((got.embedding - expected.embedding).abs().max()) / size)


@pytest.mark.parametrize(
    ("hop", "batch"),
    [
        pytest.param(hop, batch, marks=() if (hop, batch) == (5, 3) else pytest.mark.slow)
        for hop in (1, 5, 24)
        for batch in (1, 3)
    ],
)
def test_lip_clips_score_as_one_by_one(hop: int, batch: int):
    net = with_hop(load_detector(LIPS), hop, (32, 32))
    spec = net.card.input
    first = clips_of(spec, 49 if hop == 24 else 34, track_id=0, missing=[3, 26, 27])
    clips = together(first, clips_of(spec, 30, track_id=1, missing=[9], start=2))
    expected = one_by_one(net, clips)
    assert deviation(shared(net, clips, batch), expected) < 1e-6
    assert float(expected.logit.std()) > 1e-4  # the clips do differ


@pytest.mark.parametrize("args", [{"stem_frames": 1}, {"stem_frames": 3}, {"is_temporal": False}])
def test_variants_of_lipforensics_share_too(args: dict[str, object]):
    card = get_card(LIPS)
    torch.manual_seed(0)
    network = replace(card, args={**card.args, **args}).build()
    net = with_hop(ready(network, card), 4, (32, 32))
    clips = clips_of(net.card.input, 33)
    assert deviation(shared(net, clips), one_by_one(net, clips)) < 1e-6


def test_too_small_a_context_would_be_noticed():
    """Guards the comparisons: they must not pass when edges and neighbors are not minded."""
    net = with_hop(load_detector(LIPS), 5, (32, 32))
    clips = clips_of(net.card.input, 34)
    expected = one_by_one(net, clips)
    net = replace(net, card=replace(net.card, frame_context=1))
    assert deviation(shared(net, clips), expected) > 1e-4


def test_frames_that_are_context_alone_get_no_features():
    net = load_detector(LIPS).network
    clips = torch.rand(2, 1, 9, 32, 32)
    with torch.no_grad():
        whole, inner = net.frame_features(clips), net.frame_features(clips, (2, 1))
    assert whole.shape == (2, 9, 512)
    torch.testing.assert_close(inner, whole[:, 2:8])


def test_the_second_half_minds_lengths():
    net = load_detector(LIPS).network
    clips = torch.rand(2, 1, 9, 32, 32)
    with torch.no_grad():
        halves = net.classify(net.frame_features(clips), [9, 4])
        assert torch.equal(halves.logit, net(clips, [9, 4]).logit)
        assert not torch.equal(halves.logit, net(clips).logit)


@pytest.mark.parametrize("count", [4, 7])
def test_a_stem_that_the_card_does_not_fit_is_refused(count: int):
    card = get_card(LIPS)
    wrong = replace(card, args={**card.args, "stem_frames": count})
    with pytest.raises(UsageError, match=rf"a stem of {count} frames: expected one of 1, 3, 5\."):
        wrong.build()


@pytest.mark.parametrize("name", by_family())
def test_every_detector_with_features_of_frames_can_share(name: str):
    card = get_card(name)
    if card.frame_context is None:
        pytest.skip("computes no features of single frames")
    net = load_detector(name)
    size = (64, 64) if min(card.input.size) > 64 else card.input.size
    net = with_hop(net, 3, size)
    spec = net.card.input
    clips = clips_of(spec, spec.frames + 3)
    assert deviation(shared(net, clips), one_by_one(net, clips)) < 1e-5


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_stream_scores_as_one_by_one(data: st.DataObject):
    context = data.draw(st.integers(0, 3), "context")
    size = data.draw(st.integers(1, 8), "frames")
    spec = replace(TOY, frames=size + 1, hop=data.draw(st.integers(1, size), "hop"))
    net = toy(context, spec)
    streams = [
        clips_of(
            spec,
            data.draw(st.integers(spec.frames, 25), "slots"),
            track_id,
            data.draw(st.lists(st.integers(1, 24), max_size=6), "missing"),
            data.draw(st.integers(0, 30), "start"),
        )
        for track_id in range(data.draw(st.integers(1, 3), "people"))
    ]
    clips = together(*streams)
    got = shared(net, clips, data.draw(st.integers(1, 6), "batch"))
    assert deviation(got, one_by_one(net, clips)) < 1e-5


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("hop", [1, 2, 5])
def test_every_frame_is_computed_once(hop: int, batch: int):
    net = toy(0, replace(TOY, hop=hop))
    clips = clips_of(net.card.input, 26)
    shown = {int(i) for clip in clips for i in clip.frame_indices}
    shared(net, clips, batch)
    assert sum(net.network.computed) == len(shown) == 26


@pytest.mark.parametrize("batch", [1, 4])
def test_only_frames_at_a_clips_edge_are_computed_again(batch: int):
    net = toy(1, replace(TOY, hop=1))
    clips = clips_of(net.card.input, 20)
    shared(net, clips, batch)
    # Of 20 frames, 18 have neighbors on both sides; each of 15 clips sees two ends its own way.
    assert sum(net.network.computed) == 18 + 2 * 15


def test_a_frame_that_stands_for_missing_ones_is_computed_once():
    net = toy(0, replace(TOY, hop=1))
    shared(net, clips_of(net.card.input, 20, missing=[4, 5, 11]))
    assert sum(net.network.computed) == 17


def test_people_do_not_share():
    net = toy(0)
    clips = together(clips_of(TOY, 12, track_id=0), clips_of(TOY, 12, track_id=1))
    shared(net, clips)
    assert sum(net.network.computed) == 24


def test_pictures_cut_by_other_points_are_other_pictures():
    """Of overlapping clips one may be cut by 68 points and the next by 5: same frames, others."""
    net = toy(0)
    clips = clips_of(TOY, 12)
    for number in (1, 2):
        clips[number] = replace(clips[number], points=68, pixels=255 - clips[number].pixels)
    got = shared(net, clips)
    assert sum(net.network.computed) == 6 + (6 + 2) + 6
    assert deviation(got, one_by_one(net, clips)) < 1e-6


def test_what_is_held_does_not_grow():
    """Two people all along, and one after the other who comes for a second."""
    spec = replace(TOY, hop=1)
    net = toy(1, spec)
    guests = [clips_of(spec, 25, track_id=2 + n, start=25 * n) for n in range(12)]
    clips = together(clips_of(spec, 300, 0), clips_of(spec, 300, 1), *guests)
    scorer = scorer_for(net)
    assert isinstance(scorer, SharedFeatures)
    held = []
    for clip in clips:
        scorer.score(ClipBatch([clip]))
        held.append(scorer.frames_held())
    # Each knows at most what its next clip shows away from its edges; a guest may be replaced.
    assert max(held) <= 4 * (spec.frames - 3)
    assert max(held[len(held) // 2 :]) == max(held[: len(held) // 2])


def test_those_who_have_gone_are_forgotten():
    scorer = scorer_for(toy(0))
    assert isinstance(scorer, SharedFeatures)
    clips = [*clips_of(TOY, 10, track_id=0), *clips_of(TOY, 6, track_id=1, start=10)]
    scorer.score(ClipBatch(clips[:-1]))
    assert scorer.frames_held() == TOY.frames - TOY.hop
    scorer.score(ClipBatch(clips[-1:]))
    assert scorer.frames_held() == TOY.frames - TOY.hop


def test_many_people_at_once_go_through_in_batches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shared_features, "_BATCH_FRAMES", 13)
    net = toy(0)
    clips = [clips_of(TOY, 6, track_id=n)[0] for n in range(5)]
    assert deviation(shared(net, clips, 5), one_by_one(net, clips)) < 1e-6
    assert net.network.computed[:3] == [12, 12, 6]


def test_features_carry_no_gradients():
    net = toy(0)
    clips = clips_of(TOY, 8)
    assert torch.is_grad_enabled()
    scorer = scorer_for(net)
    scorer.score(ClipBatch(clips))
    assert isinstance(scorer, SharedFeatures)
    held = [features for known in scorer._known.values() for features in known.values()]
    assert held
    assert not any(features.requires_grad for features in held)


@pytest.mark.parametrize(
    ("hop", "context", "shares"), [(1, 0, True), (5, 2, True), (6, 0, False), (1, None, False)]
)
def test_sharing_needs_overlap_and_features_of_frames(hop: int, context: int | None, shares: bool):
    net = toy(0)
    spec = replace(TOY, hop=hop)
    net = replace(net, card=replace(net.card, input=spec, frame_context=context))
    assert isinstance(scorer_for(net), SharedFeatures) == shares


def test_without_sharing_the_network_itself_is_asked():
    net = toy(0, replace(TOY, hop=6))
    clips = clips_of(net.card.input, 12)
    with torch.no_grad():
        expected = net(to_tensor(clips)).logit
    got = scorer_for(net).score(ClipBatch(clips)).logits
    assert np.array_equal(got, expected.numpy())
