"""The pretraining of the real detectors, in their real size: one step each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pretraining_toys import write_expressions, write_words
from safetensors.torch import load_file

from unmask.detectors import get_card, list_detectors
from unmask.train.pretraining import PRETRAINING_FILE, pretrain
from unmask.types import Pixels
from unmask.weights import load_detector

PRETRAININGS = [
    (name, pretraining) for name in list_detectors() for pretraining in get_card(name).pretraining
]
ONE_STEP = ["epochs=1", "steps_per_epoch=1", "batch_size=2"]


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory, faces: Callable[..., list[Pixels]]) -> Path:
    return write_words(tmp_path_factory.mktemp("words"), ("SAY", "ABOUT"), faces(29, 160))


@pytest.fixture(scope="session")
def expressions(
    tmp_path_factory: pytest.TempPathFactory, faces: Callable[..., list[Pixels]]
) -> Path:
    names = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
    root = tmp_path_factory.mktemp("expressions")
    return write_expressions(root, faces(2, 160), dict.fromkeys(names, 0))


@pytest.mark.slow  # test_train_pretraining.py trains a toy by the same way.
@pytest.mark.parametrize(("name", "pretraining"), PRETRAININGS)
def test_one_step_of_every_pretraining(
    name: str, pretraining: str, words: Path, expressions: Path, cache: Path, tmp_path: Path
):
    data = {"lrw": words, "affectnet": expressions}[get_card(name).pretraining[pretraining].layout]
    how = {"settings": ONE_STEP, "workers": 0, "progress": False}
    result = pretrain(name, pretraining, data, tmp_path / "run", **how)  # type: ignore[arg-type]
    taught = result.with_name(PRETRAINING_FILE)
    classes = json.loads((tmp_path / "run" / "run.json").read_text())["classes"]
    learned = load_file(taught)
    widths = {
        len(value) for key, value in learned.items() if key.endswith(("head.bias", "fc.bias"))
    }
    assert widths == {len(classes)}
    net = load_detector(name, result)
    state = net.network.state_dict()
    shared = [key for key in learned if key in state and state[key].shape == learned[key].shape]
    assert shared and all(torch.equal(state[key], learned[key]) for key in shared)
    spec = net.card.input  # type: ignore[union-attr]
    with torch.inference_mode():
        logit = net(torch.zeros(1, len(spec.mean), spec.frames, *spec.size)).logit
    assert torch.isfinite(logit).all()


def test_a_trained_lip_reader_starts_undecided():
    pretraining = get_card("lipforensics").pretraining["lipreading"]
    reader = pretraining.build(get_card("lipforensics").args, 500)
    assert reader(torch.zeros(1, 1, 29, 88, 88)).shape == (1, 500)
    state = pretraining.into(reader.state_dict())
    assert state["head.weight"].shape == (1, 768)
    assert not state["head.weight"].any() and not state["head.bias"].any()
    assert torch.equal(
        state["features.frontend.0.weight"], reader.state_dict()["features.frontend.0.weight"]
    )


@pytest.mark.parametrize(
    "args", [{"stem_frames": 1}, {"is_temporal": False}, {"activation": "swish"}]
)
def test_variants_have_their_own_lip_readers(args: dict[str, object]):
    card = get_card("lipforensics")
    variant = {**card.args, **args}
    reader = card.pretraining["lipreading"].build(variant, 4)
    detector = type(card.build())(**variant)  # type: ignore[arg-type]
    state = card.pretraining["lipreading"].into(reader.state_dict())
    assert {key: v.shape for key, v in state.items()} == {
        key: v.shape for key, v in detector.state_dict().items()
    }
