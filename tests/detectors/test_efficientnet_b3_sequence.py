"""EfficientNet-B3 with LSTM and GRU: the paper's sizes, what is frozen, where they start."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from torch import nn

from unmask.checkpoints import save_weights
from unmask.detectors import get_card
from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector

IMAGE, LSTM, GRU = "efficientnet_b3", "efficientnet_b3_lstm", "efficientnet_b3_bigru"


@pytest.fixture(scope="module")
def image_detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of an image detector as training writes them."""
    torch.manual_seed(4)
    net = get_card(IMAGE).build()
    path = tmp_path_factory.mktemp("image") / "image.safetensors"
    state = net.state_dict()
    return save_weights(
        state, path, detector=IMAGE, tag="run", license="MIT", trained_on="200 files"
    )


@pytest.mark.parametrize(("name", "millions"), [(LSTM, 30.245), (GRU, 26.441)])
def test_it_has_the_parameters_that_the_paper_counts(name: str, millions: float):
    """Table A.5, which counts the last layer of the image detector too."""
    unused = sum(p.numel() for p in load_detector(IMAGE).network.head.parameters())
    parameters = sum(p.numel() for p in load_detector(name).network.parameters())
    assert parameters + unused == pytest.approx(millions * 1e6, abs=0.5e3)


@pytest.mark.slow
@pytest.mark.parametrize("name", [LSTM, GRU])
def test_from_an_image_detector_it_takes_all_but_the_last_layer(
    name: str, image_detector: Path, tmp_path: Path
):
    net = load_detector(
        name, import_weights(name, image_detector, tmp_path / "x.safetensors")
    ).network
    image = load_detector(IMAGE, image_detector)
    pictures = torch.randn(2, 3, 3, 64, 64)
    with torch.no_grad():
        features = net.frame_features(pictures)
        for frame in range(3):
            expected = image(pictures[:, :, frame : frame + 1]).embedding
            torch.testing.assert_close(features[:, frame], expected)
        output = net(pictures)
    assert output.logit.tolist() == [0, 0]
    assert output.embedding.std() > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [LSTM, GRU])
def test_an_imagenet_file_is_a_start_too(name: str, tmp_path: Path):
    torch.manual_seed(3)
    published = timm.create_model(IMAGE).eval()
    torch.save(published.state_dict(), tmp_path / "ra2.pth")
    path = import_weights(name, tmp_path / "ra2.pth", tmp_path / "x.safetensors")
    net = load_detector(name, path).network
    pictures = torch.randn(1, 3, 1, 64, 64)
    with torch.no_grad():
        maps = published.forward_features(pictures[:, :, 0])
        expected = published.forward_head(maps, pre_logits=True)
        torch.testing.assert_close(net.frame_features(pictures)[:, 0], expected)
        assert net(pictures).logit.tolist() == [0]


@pytest.mark.slow
@pytest.mark.parametrize("name", [LSTM, GRU])
def test_files_of_other_networks_are_refused(name: str, tmp_path: Path):
    other = GRU if name == LSTM else LSTM
    net = get_card(other).build()
    path = tmp_path / "other.safetensors"
    state = net.state_dict()
    save_weights(state, path, detector=other, tag="t", license="MIT", trained_on="-")
    with pytest.raises(WeightsError, match=rf"do not fit {name}: of \d+ tensors .*unexpected"):
        import_weights(name, path, tmp_path / "x.safetensors")
    torch.save(timm.create_model("efficientnet_b0").state_dict(), tmp_path / "b0.pth")
    with pytest.raises(WeightsError, match=rf"do not fit {name}: .*net\.blocks\.0\.1"):
        import_weights(name, tmp_path / "b0.pth", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def test_only_detectors_that_say_so_start_from_anothers_file(image_detector: Path, tmp_path: Path):
    with pytest.raises(WeightsError, match=f"are for detector '{IMAGE}', expected 'xception'"):
        import_weights("xception", image_detector, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match=f"are for detector '{IMAGE}', expected '{LSTM}'"):
        load_detector(LSTM, image_detector)


@pytest.mark.slow
def test_its_own_file_is_imported_as_it_is(tmp_path: Path):
    net = get_card(GRU).build()
    path = tmp_path / "own.safetensors"
    save_weights(net.state_dict(), path, detector=GRU, tag="t", license="MIT", trained_on="-")
    again = load_detector(GRU, import_weights(GRU, path, tmp_path / "x.safetensors")).network
    assert torch.equal(again.head.weight, net.head.weight)
    assert again.head.weight.any()


def test_the_lstm_has_a_wholly_frozen_backbone():
    assert get_card(LSTM).recipe.freeze == ("net",)


def test_the_gru_freezes_the_stem_and_the_first_20_blocks():
    net = load_detector(GRU).network
    frozen = get_card(GRU).recipe.freeze
    blocks = [
        f"net.blocks.{i}.{j}"
        for i, pretraining in enumerate(net.net.blocks)
        for j in range(len(pretraining))
    ]
    assert len(blocks) == 26

    def is_frozen(name: str) -> bool:
        return any(f"{name}.".startswith(f"{part}.") for part in frozen)

    assert [is_frozen(block) for block in blocks] == [True] * 20 + [False] * 6
    others = {k.split(".")[1] for k, _ in net.named_parameters() if k.startswith("net.")} - {
        "blocks"
    }
    assert {part: is_frozen(f"net.{part}") for part in sorted(others)} == {
        "bn1": True,
        "bn2": False,
        "conv_head": False,
        "conv_stem": True,
    }


def test_the_lstm_gives_its_last_step_to_three_layers():
    net = load_detector(LSTM).network
    features = torch.randn(2, 5, 1536)
    with torch.no_grad():
        last = net.lstm(features)[0][:, -1]
        hidden = net.head[3](net.head[0](last).relu()).relu()
        output = net.classify(features)
        torch.testing.assert_close(output.embedding, hidden)
        torch.testing.assert_close(output.logit, net.head[5](hidden)[:, 0])
    assert [type(layer) for layer in net.head].count(nn.Dropout) == 1


def test_the_gru_gives_its_last_step_to_one_layer():
    net = load_detector(GRU).network
    features = torch.randn(2, 5, 1536)
    with torch.no_grad():
        last = net.gru(features)[0][:, -1]
        output = net.classify(features)
        torch.testing.assert_close(output.embedding, last)
        torch.testing.assert_close(output.logit, net.head(last)[:, 0])


@pytest.mark.parametrize("name", [LSTM, GRU])
def test_the_recipe_is_the_papers(name: str):
    recipe, spec = get_card(name).recipe, get_card(name).input
    assert (
        recipe.optimizer.kind,
        recipe.optimizer.learning_rate,
        recipe.optimizer.weight_decay,
    ) == ("adam", 2e-6, 1e-5)
    assert (recipe.sampling.batch_size, recipe.sampling.cycle_methods, recipe.sampling.kind) == (
        2,
        True,
        "balanced",
    )
    assert (recipe.schedule.kind, recipe.schedule.wait_epochs, recipe.schedule.factor) == (
        "plateau",
        5,
        0.1,
    )
    assert (spec.frames, spec.fps, spec.hop, spec.size, spec.margin) == (16, 3, 16, (224, 224), 1.4)
