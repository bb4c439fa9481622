from __future__ import annotations

import torch
from torch import nn

from unmask.nn.heads import add_batch_counters, rename, reset_head, under_net


def test_rename_takes_whole_names_only():
    state = {"fc.weight": torch.ones(1), "fc2.weight": torch.zeros(1), "a.fc.bias": torch.zeros(1)}
    rename(state, "fc", "head")
    assert set(state) == {"head.weight", "fc2.weight", "a.fc.bias"}
    assert state["head.weight"].item() == 1


def test_a_head_of_the_published_size_becomes_zeros_of_ours():
    state = {"fc.weight": torch.ones(400, 8, 1, 1), "fc.bias": torch.ones(400)}
    reset_head(state, "fc", 400, 2)
    assert torch.equal(state["fc.weight"], torch.zeros(2, 8, 1, 1))
    assert torch.equal(state["fc.bias"], torch.zeros(2))


def test_a_head_of_another_size_or_none_stays():
    state = {"fc.weight": torch.ones(3, 8), "fc.bias": torch.ones(3)}
    reset_head(state, "fc", 400, 1)
    assert torch.equal(state["fc.weight"], torch.ones(3, 8))
    empty: dict[str, torch.Tensor] = {}
    reset_head(empty, "fc", 400, 1)
    assert not empty


def test_batch_norms_get_the_counters_they_lack():
    norm = nn.BatchNorm2d(4)
    state = norm.state_dict()
    del state["num_batches_tracked"]
    named = {f"bn.{key}": value for key, value in state.items()}
    named["other.num_batches_tracked"] = torch.tensor(7)
    named["other.running_mean"] = torch.zeros(1)
    add_batch_counters(named)
    assert named["bn.num_batches_tracked"].item() == 0
    assert named["bn.num_batches_tracked"].dtype == norm.num_batches_tracked.dtype
    assert named["other.num_batches_tracked"].item() == 7


def test_a_net_and_its_head_lie_side_by_side():
    state = {"fc.weight": torch.ones(1), "layer.fc.weight": torch.zeros(1)}
    ours = under_net(state, "fc")
    assert set(ours) == {"head.weight", "net.layer.fc.weight"}
    assert set(state) == {"fc.weight", "layer.fc.weight"}
