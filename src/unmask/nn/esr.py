"""ESR-9: which facial expression? Shared layers, and an ensemble of branches that vote.

Siqueira et al., "Efficient Facial Feature Learning with Wide Ensemble-based Convolutional Neural
Networks" (AAAI 2020), in the layout of their published files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

MAPS = 512
"""Feature maps at the end of a branch."""

BRANCHES = 9
"""Of the published ensemble."""

CLASSES = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
"""Of the published ensemble, in the order of its outputs."""

_AFFECTS = 2
_SHARED_WIDTHS = (3, 64, 128, 128, 128)
_BRANCH_WIDTHS = (128, 128, 256, 256, MAPS)


class EsrOutput(NamedTuple):
    """What the N branches say of B faces.

    ``emotions`` (B, N, classes) logits; ``affect`` (B, N, 2), valence and arousal as the network
    gives them, or None; ``maps`` (B, N, 512, h, w), before the global average.
    """

    emotions: Tensor
    affect: Tensor | None
    maps: Tensor


class _FourConvs(nn.Module):
    """Four convolutions with batch norm and ReLU, halved in size after the second."""

    def __init__(self, widths: Sequence[int], first_kernel: int, last_padding: int) -> None:
        super().__init__()
        kernels, paddings = (first_kernel, 3, 3, 3), (0, 0, 0, last_padding)
        for i in range(4):
            conv = nn.Conv2d(widths[i], widths[i + 1], kernels[i], padding=paddings[i])
            self.add_module(f"conv{i + 1}", conv)
            self.add_module(f"bn{i + 1}", nn.BatchNorm2d(widths[i + 1]))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, first width, h, w) to (B, last width, h', w')."""
        for i in range(1, 5):
            conv, norm = self.get_submodule(f"conv{i}"), self.get_submodule(f"bn{i}")
            maps = functional.relu(norm(conv(maps)))
            if i == 2:
                maps = functional.max_pool2d(maps, 2)
        return maps


class _Branch(_FourConvs):
    """One voice of the ensemble."""

    def __init__(self, classes: int, has_affect: bool) -> None:
        super().__init__(_BRANCH_WIDTHS, first_kernel=3, last_padding=1)
        self.fc = nn.Linear(MAPS, classes)
        self.fc_dimensional = nn.Linear(classes, _AFFECTS) if has_affect else None


class ESR(nn.Module):
    """Shared layers and branches, each with a head for expressions and one for affect.

    The state dict has the names of the published files, under ``base`` and ``branches.i``.

    Args:
        branches: voices; 9 in the published ensemble, 1 for a simple network.
        classes: expressions.
        has_affect: whether valence and arousal are given too.
    """

    def __init__(
        self, branches: int = BRANCHES, classes: int = len(CLASSES), has_affect: bool = True
    ) -> None:
        super().__init__()
        self.base = _FourConvs(_SHARED_WIDTHS, first_kernel=5, last_padding=0)
        self.branches = nn.ModuleList(_Branch(classes, has_affect) for _ in range(branches))

    def forward(self, pictures: Tensor) -> EsrOutput:
        """Faces (B, 3, 96, 96), BGR in 0..1; 512 maps of 6 x 6 come of each branch."""
        shared = functional.max_pool2d(self.base(pictures), 2)
        maps = [branch(shared) for branch in self.branches]
        emotions = [
            branch.get_submodule("fc")(features.mean(dim=(2, 3)))
            for branch, features in zip(self.branches, maps, strict=True)
        ]
        # The authors tell affect from the rectified logits of the expressions.
        affect = [
            head(functional.relu(logits))
            for branch, logits in zip(self.branches, emotions, strict=True)
            if isinstance(head := getattr(branch, "fc_dimensional", None), nn.Linear)
        ]
        return EsrOutput(
            emotions=torch.stack(emotions, dim=1),
            affect=torch.stack(affect, dim=1) if affect else None,
            maps=torch.stack(maps, dim=1),
        )


def vote(emotions: Tensor) -> tuple[Tensor, Tensor]:
    """The class that the ensemble votes for, and the most confident branch (EMD, Eq. 3 to 5).

    Each branch votes for its likeliest class; the class with most votes wins, of several the
    one with the lowest number. The branch that gives the winner the highest probability is
    chosen, whatever it voted for itself.

    Args:
        emotions: (B, N, classes) logits.

    Returns:
        Class and branch, each (B,) int64.

    >>> class_, branch = vote(torch.tensor([[[2.0, 0.0], [0.0, 5.0], [3.0, 0.0]]]))
    >>> class_.item(), branch.item()
    (0, 2)
    """
    ballots = functional.one_hot(emotions.argmax(dim=2), emotions.shape[2])
    winner = ballots.sum(dim=1).argmax(dim=1)
    certainty = emotions.softmax(dim=2).take_along_dim(winner[:, None, None], dim=2)
    return winner, certainty.squeeze(2).argmax(dim=1)


def from_published(
    base: Mapping[str, Tensor], branches: Sequence[Mapping[str, Tensor]], has_affect: bool = True
) -> dict[str, Tensor]:
    """The published files under the names used here.

    Args:
        base: tensors of Net-Base-Shared_Representations.pt.
        branches: tensors of Net-Branch_1.pt, Net-Branch_2.pt, ….
        has_affect: whether to keep the heads for valence and arousal.
    """
    state = {f"base.{key}": value for key, value in base.items()}
    for i, branch in enumerate(branches):
        for key, value in branch.items():
            if has_affect or not key.startswith("fc_dimensional."):
                state[f"branches.{i}.{key}"] = value
    return state
