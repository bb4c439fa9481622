"""MultiTask + EnsFER: the multi-task autoencoder, shown what a network of expressions sees.

A row of EMD's tables: ClassNSeg's encoder gets the expression stream's maps before its last
convolution (Mazaheri & Roy-Chowdhury, 2022, section IV.D). Its halves keep their places: the
first one answers to fake faces. What the paper leaves open is listed in the card.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Ablation, Card, Output, Paper, Target
from unmask.detectors.registry import detector
from unmask.detectors.shared.expression import (
    BASE_FILE,
    BRANCHES_OF,
    esr_start,
    esr_state,
    expression_pretraining,
    is_esr,
)
from unmask.detectors.shared.multi_task import (
    DIFFERENCES,
    INPUT,
    RECIPE,
    joint_loss,
    output_of,
    validation_loss,
)
from unmask.errors import UsageError, WeightsError
from unmask.nn.esr import CLASSES, MAPS
from unmask.nn.expression import ExpressionStream
from unmask.nn.fresh import fresh_state
from unmask.nn.segmenting_autoencoder import SegmentingAutoencoder

FerName = Literal["sim", "ens"]


def _from_published(path: Path) -> dict[str, Tensor]:
    """The ten files of ESR-9, whichever is named; the rest is that of a new network."""
    if not is_esr(read_tensors(path)):
        raise WeightsError(
            f"Weights '{path}' are not of ESR-9. Give {BASE_FILE} with Net-Branch_1.pt to "
            "Net-Branch_9.pt beside it."
        )
    return fresh_state(MultiTaskFer, without=("fer.",)) | esr_state(path.parent)


CARD = Card(
    name="multi_task_fer",
    summary="The multi-task autoencoder, joined by the expression stream of EMD.",
    paper=Paper(
        title="Detection and Localization of Facial Expression Manipulations (MultiTask + EnsFER)",
        authors="Ghazal Mazaheri, Amit K. Roy-Chowdhury",
        venue="WACV",
        year=2022,
        url="https://arxiv.org/abs/2103.08134",
        differences=(
            "Code: none is public; not verified against the authors' code. The parts are: the "
            "autoencoder agrees with ClassNSeg's code and the expression stream with ESR's.",
            "Junction: as in EMD, before the encoder's last convolution: its 64 maps and the 512 "
            "expression maps, resized bilinearly from 6 x 6 to 16 x 16; the paper says no more "
            "than that expression features are added.",
            "Recipe and losses: those of ClassNSeg, with the expression stream frozen; the paper "
            "does not say how this row was trained.",
            "Expressions: the picture is resized to 96 x 96 as it is, 1.3 x the face box, so that "
            "both streams see the same; ESR was trained on the bare box.",
            "Start: at random, unless imported files of ESR-9 are given. ClassNSeg's own files "
            "are no start, as the encoder's last convolution sees more here.",
            *DIFFERENCES,
        ),
    ),
    compared_in=("EMD",),
    fixtures=("esr9.json",),
    verified="parts: expression stream, and the autoencoder by `multi_task`; the whole is not "
    "verified against the authors' code: none is public",
    input=INPUT,
    recipe=RECIPE.changed({"freeze": ("fer",)}),
    weights=(
        esr_start(
            _from_published, polarity="none: all but the expression stream is that of a new network"
        ),
    ),
    outputs=("mask", "embedding"),
    cam_layer="net.encoder.26",
    heat_maps=("fer_cam",),
    aggregate="mean",
    args={"fer": "ens", "classes": len(CLASSES)},
    pretraining={"fer": expression_pretraining(validation_loss)},
    starts_from="esr9",
    ablations=(
        Ablation(row="simfer", tables=("emd/table5",), settings=("fer=sim",), pretraining="fer"),
        Ablation(row="full", tables=("emd/table5",)),
    ),
)


@detector(CARD)
class MultiTaskFer(nn.Module):
    """The expression stream, and the autoencoder that it joins.

    Args:
        fer: ``ens`` for nine branches that vote, ``sim`` for a single one.
        classes: expressions that the stream tells apart.

    Raises:
        UsageError: ``fer`` is neither of the two.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, fer: FerName = "ens", classes: int = len(CLASSES)) -> None:
        super().__init__()
        if fer not in get_args(FerName):
            raise UsageError(
                f"Cannot set fer={fer!r}: expected 'ens' or 'sim'. Without expressions it is the "
                "multi-task detector itself."
            )
        self.fer = ExpressionStream(BRANCHES_OF[fer], classes)
        self.net = SegmentingAutoencoder(beside=MAPS)
        for name, values in (("mean", INPUT.mean), ("std", INPUT.std)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 256, 256), ImageNet-normalized; mask (B, 1, 256, 256).

        The embedding is (B, 128).
        """
        return output_of(self._encode(clips), self.net)

    def training_loss(self, clips: Tensor, target: Target) -> Tensor:
        """Activations, mask and picture (ClassNSeg's three losses), a scalar.

        Args:
            clips: (B, 3, 1, H, W), normalized.
            target: with ``mask``.
        """
        return joint_loss(self._encode(clips), self.net, clips.squeeze(2), target)

    def heat_map(self, name: str, clips: Tensor) -> Tensor:
        """Where the expression is seen, (B, 6, 6), for (B, 3, 1, H, W), normalized (Fig. 7)."""
        return self.fer.activation(self._in_unit_range(clips.squeeze(2)))

    def _encode(self, clips: Tensor) -> Tensor:
        pictures = clips.squeeze(2)
        return self.net.encode(pictures, self.fer(self._in_unit_range(pictures)))

    def _in_unit_range(self, pictures: Tensor) -> Tensor:
        return pictures * self.std + self.mean
