"""Files of networks that were built or fed otherwise than their cards say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_detector
import torch

import toy_detectors
import unmask
from unmask.checkpoints import read_metadata, save_weights
from unmask.detectors import Card, build, get_card
from unmask.errors import UnknownNameError, UsageError, WeightsError
from unmask.evaluate import evaluate, read_scores
from unmask.pipeline.shared_features import SharedFeatures, scorer_for
from unmask.train import apply_settings
from unmask.types import InputSpec, LabelledVideo
from unmask.weights import card_of_weights, import_weights, load_detector

NAME = "waves"
SPEC = InputSpec(size=(32, 32), frames=6, hop=6)


def save_variant(path: Path, card: Card, **changes: object) -> Path:
    """An untrained network of a card, as training writes it."""
    torch.manual_seed(0)
    about = {"args": card.args, "input": card.input} | changes
    return save_weights(
        build(card).state_dict(),
        path,
        detector=card.name,
        tag="variant",
        license="MIT",
        trained_on="nothing",
        **about,  # type: ignore[arg-type]
    )


@pytest.fixture
def waves(own_names: None) -> Card:
    return toy_detectors.register_recurrent(NAME, SPEC, frame_context=1, context=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("two_branch", ["hidden=0", "input.frames=1"]),
        ("lipforensics", ["input.frames=5", "input.hop=5", "is_temporal=false"]),
        ("emd", ["fer=none"]),
    ],
)
def test_ablations_of_the_papers_load_as_they_were_trained(
    name: str, settings: list[str], tmp_path: Path
):
    card = apply_settings(get_card(name), settings)
    assert card != get_card(name)
    path = save_variant(tmp_path / "x.safetensors", card)
    net = load_detector(name, path)
    assert (net.card.args, net.card.input) == (card.args, card.input)
    torch.manual_seed(0)
    wanted = build(card).state_dict()
    assert all(torch.equal(value, wanted[key]) for key, value in net.network.state_dict().items())
    assert get_card(name) == replace(card, args=get_card(name).args, input=get_card(name).input)
    spec = net.card.input
    clip = torch.zeros(1, 1 if spec.color == "gray" else 3, spec.frames, *spec.size)
    with torch.inference_mode():
        assert net(clip).logit.shape == (1,)


def test_a_scan_feeds_a_variant_what_it_was_trained_on(
    waves: Card, portrait_video: Path, tmp_path: Path
):
    changed = waves.changed(args={"context": 0}, input={"frames": 4, "hop": 2, "size": (16, 16)})
    path = save_variant(tmp_path / "x.safetensors", changed)
    net = load_detector(NAME, path)
    assert isinstance(scorer_for(net), SharedFeatures)
    verdict = unmask.scan(portrait_video, [NAME], weights={NAME: path})
    assert len(verdict.clip_scores) > 2
    for one, after in zip(verdict.clip_scores, verdict.clip_scores[1:], strict=False):
        assert len(one.frame_indices) == 4
        assert after.frame_indices[:2] == one.frame_indices[2:]
    (use,) = verdict.detectors
    assert use.weights == str(path)
    # Clip by clip, without anything that clips share, the scores are the same.
    toy_detectors.register_recurrent(NAME, SPEC, frame_context=None, context=1)
    alone = unmask.scan(portrait_video, [NAME], weights={NAME: path})
    assert [s.logit for s in alone.clip_scores] == pytest.approx(
        [s.logit for s in verdict.clip_scores], abs=1e-5
    )


def test_a_variant_is_evaluated_as_it_is_scanned(waves: Card, portrait_video: Path, tmp_path: Path):
    changed = waves.changed(args={"context": 0}, input={"frames": 4, "hop": 2, "size": (16, 16)})
    weights = {NAME: save_variant(tmp_path / "x.safetensors", changed)}
    row = LabelledVideo(path=portrait_video, label=0, dataset="d", split="test")
    (found,) = read_scores(evaluate([row], [NAME], tmp_path / "out", weights=weights))
    (face,) = unmask.scan(portrait_video, [NAME], weights=weights).faces
    assert found.score == pytest.approx(face.logits[NAME], abs=1e-6)


def test_a_file_that_says_nothing_or_the_same_is_of_the_card(waves: Card, tmp_path: Path):
    silent = save_variant(tmp_path / "a.safetensors", waves, args=None, input=None)
    assert not {"args", "input"} & read_metadata(silent).keys()
    same = save_variant(tmp_path / "b.safetensors", waves)
    assert json.loads(read_metadata(same)["args"]) == {"context": 1}
    for path in (silent, same):
        assert load_detector(NAME, path).card is waves
        assert card_of_weights(waves, path) is waves


def test_what_a_file_does_not_say_is_that_of_the_card(waves: Card, tmp_path: Path):
    path = save_variant(tmp_path / "x.safetensors", waves.changed(args={"context": 0}), input=None)
    card = load_detector(NAME, path).card
    assert (card.args, card.input) == ({"context": 0}, SPEC)


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ({"args": '{"contxt": 2}'}, "Unknown argument of waves 'contxt'. Did you mean 'context'"),
        ({"args": '{"context": "wide"}'}, "Cannot set context='wide': expected a int like 1"),
        ({"input": '{"sise": [8, 8]}'}, "Unknown field of the input 'sise'. Did you mean 'size'"),
        ({"input": '{"size": [8]}'}, r"Cannot set input.size=\(8,\): expected tuple"),
        ({"input": '{"frames": 0}'}, "Cannot set input.frames=0: expected a whole number"),
    ],
)
def test_a_network_that_cannot_be_built_is_told(
    waves: Card, tmp_path: Path, notes: dict[str, str], message: str
):
    path = save_variant(tmp_path / "x.safetensors", waves, args=None, input=None, notes=notes)
    expected = rf"Weights '.*x\.safetensors' are of a waves .* cannot build: {message}.* train anew"
    with pytest.raises(WeightsError, match=expected):
        load_detector(NAME, path)


@pytest.mark.parametrize("key", ["args", "input"])
@pytest.mark.parametrize("text", ["{", "[1]", "null"])
def test_damaged_metadata_are_told(waves: Card, tmp_path: Path, key: str, text: str):
    notes = {key: text}
    path = save_variant(tmp_path / "x.safetensors", waves, args=None, input=None, notes=notes)
    with pytest.raises(WeightsError, match=rf"are damaged: their {key} are .*expected a JSON obj"):
        load_detector(NAME, path)


def test_an_imported_variant_stays_one(waves: Card, tmp_path: Path):
    changed = waves.changed(args={"context": 0}, input={"frames": 3})
    path = save_variant(tmp_path / "x.safetensors", changed)
    card = load_detector(NAME, import_weights(NAME, path, tmp_path / "y.safetensors")).card
    assert (card.args, card.input) == (changed.args, changed.input)


def test_the_arguments_of_another_detector_are_not_taken_over(waves: Card, tmp_path: Path):
    tiny_detector.register()
    path = save_variant(tmp_path / "x.safetensors", waves)
    with pytest.raises(WeightsError, match="are for detector 'waves', expected 'tiny'"):
        load_detector("tiny", path)


def test_a_card_is_changed_by_known_names_alone(waves: Card):
    changed = waves.changed(recipe={"epochs": 3}, input={"hop": 2}, args={"context": 2})
    assert (changed.recipe.schedule.epochs, changed.input.hop, changed.args) == (
        3,
        2,
        {"context": 2},
    )
    assert (waves.recipe.schedule.epochs, waves.input.hop, waves.args) == (20, 6, {"context": 1})
    with pytest.raises(UnknownNameError, match=r"Unknown field of the recipe 'epoch'. Did you"):
        waves.changed(recipe={"epoch": 3})
    with pytest.raises(UsageError, match="Cannot set epochs=0: expected a whole number of at"):
        waves.changed(recipe={"epochs": 0})
