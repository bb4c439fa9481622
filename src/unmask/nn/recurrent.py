"""Recurrent layers called so that they can be exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def run_recurrent(rnn: nn.LSTM | nn.GRU, features: Tensor) -> tuple[Tensor, Tensor]:
    """What ``rnn(features)`` gives, from zero states on.

    Called as a module, a recurrent layer touches its list of weights, of which ``torch.export``
    warns; here the weights are handed over.

    Args:
        rnn: with biases, batch first.
        features: (B, T, D).

    Returns:
        The last layer's outputs (B, T, directions * H), and the last states of all layers
        (layers * directions, B, H), forward before backward.
    """
    weights: list[Tensor] = [weight for layer in rnn.all_weights for weight in layer]
    directions = 2 if rnn.bidirectional else 1
    start = features.new_zeros(rnn.num_layers * directions, features.shape[0], rnn.hidden_size)
    layers, dropout, train = rnn.num_layers, rnn.dropout, rnn.training
    if isinstance(rnn, nn.LSTM):
        outputs, states, _ = torch.lstm(
            features, (start, start), weights, True, layers, dropout, train, rnn.bidirectional, True
        )
        return outputs, states
    return torch.gru(
        features, start, weights, True, layers, dropout, train, rnn.bidirectional, True
    )
