from __future__ import annotations

import timm
import torch

from unmask.nn.attention_map import AttentionMap
from unmask.nn.xception import from_published, split_xception


def test_both_halves_make_the_whole_network():
    torch.manual_seed(0)
    whole = timm.create_model("legacy_xception", num_classes=0).eval()
    first, second = split_xception("block7")
    state = whole.state_dict()
    first.load_state_dict({k: v for k, v in state.items() if k in first.state_dict()})
    second.load_state_dict({k: v for k, v in state.items() if k in second.state_dict()})
    assert first.state_dict().keys() | second.state_dict().keys() == state.keys()
    pictures = torch.randn(1, 3, 299, 299)
    with torch.no_grad():
        maps = first.eval()(pictures)
        expected = whole(pictures)
        assert torch.equal(second.eval()(maps), expected)
    assert maps.shape == (1, 728, 19, 19)
    assert expected.shape == (1, 2048)


def test_published_names_become_those_of_timm():
    state = {
        "model.conv1.weight": torch.ones(1),
        "model.block1.rep.0.pointwise.weight": torch.ones(2, 3),
        "model.bn1.running_mean": torch.zeros(2),
        "model.last_linear.1.weight": torch.ones(2, 2048),
    }
    ours = from_published(state)
    assert ours.keys() == {
        "conv1.weight",
        "block1.rep.0.pointwise.weight",
        "bn1.running_mean",
        "bn1.num_batches_tracked",
        "last_linear.weight",
    }
    assert ours["block1.rep.0.pointwise.weight"].shape == (2, 3, 1, 1)


def test_the_caller_keeps_its_state():
    state = {"fc.weight": torch.ones(2, 3)}
    assert list(from_published(state)) == ["last_linear.weight"]
    assert list(state) == ["fc.weight"]


def test_an_attention_map_weighs_each_place_by_its_sigmoid():
    layer = AttentionMap(2)
    torch.nn.init.zeros_(layer.conv.weight)
    layer.conv.weight.data[0, 1, 1, 1] = 1.0
    torch.nn.init.constant_(layer.conv.bias, 0.5)
    maps = torch.randn(1, 2, 3, 4)
    attended, logits = layer(maps)
    torch.testing.assert_close(logits, maps[:, 1:] + 0.5)
    torch.testing.assert_close(attended, maps * (maps[:, 1:] + 0.5).sigmoid())
