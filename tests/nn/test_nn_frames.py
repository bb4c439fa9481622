from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from unmask.nn.frames import features_of_frames
from unmask.nn.fresh import fresh_state
from unmask.nn.recurrent import run_recurrent


def test_every_frame_is_seen_by_itself_in_its_place():
    clips = torch.arange(2 * 3 * 4.0).view(2, 3, 4, 1, 1)
    seen = features_of_frames(lambda pictures: pictures.flatten(1), clips)
    assert seen.shape == (2, 4, 3)
    assert torch.equal(seen, clips[..., 0, 0].transpose(1, 2))


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_recurrent_layers_give_what_torch_gives(kind: type[nn.LSTM], bidirectional: bool):
    rnn = kind(5, 3, num_layers=2, batch_first=True, bidirectional=bidirectional, dropout=0.5)
    features = torch.randn(2, 4, 5)
    outputs, states = run_recurrent(rnn.eval(), features)
    expected, last = rnn(features)
    assert torch.equal(outputs, expected)
    assert torch.equal(states, last[0] if kind is nn.LSTM else last)


class Last(nn.Module):
    """The last output of a recurrent layer."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(5, 3, batch_first=True, bidirectional=True)

    def forward(self, features: Tensor) -> Tensor:
        return run_recurrent(self.rnn, features)[0][:, -1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_recurrent_layers_are_exported_for_any_batch_without_a_warning():
    net = Last().eval()
    some = torch.export.Dim("some", min=1, max=8)
    exported = torch.export.export(net, (torch.randn(2, 4, 5),), dynamic_shapes=({0: some},))
    features = torch.randn(5, 4, 5)
    torch.testing.assert_close(exported.module()(features), net(features))


def test_fresh_parts_are_the_same_every_time_and_move_no_random_numbers():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one = fresh_state(lambda: nn.Linear(4, 4), without=())
    assert torch.equal(torch.rand(1), expected)
    other = fresh_state(lambda: nn.Linear(4, 4), without=("bias",))
    assert other.keys() == {"weight"}
    assert torch.equal(one["weight"], other["weight"])
