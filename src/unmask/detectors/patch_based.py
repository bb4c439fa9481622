"""Patch-based classification: small pieces of a face are judged one by one, and then vote.

What makes fake images detectable? Understanding properties that generalize (Chai et al., ECCV
2020): an Xception cut off early sees patches alone, each of which learns the picture's label, so
that nothing but local traces counts. What differs from the paper is listed in the card.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

from torch import Tensor, nn
from torch.nn import functional

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Card, Output, Paper, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.errors import UsageError
from unmask.losses import binary_loss
from unmask.nn.heads import add_batch_counters, under_net
from unmask.nn.xception import split_xception
from unmask.types import InputSpec

Vote = Literal["mean_probability", "mean_logit", "majority"]

_BLOCK = 3
_WIDTHS = {1: 128, 2: 256, 3: 728, 4: 728, 5: 728}
"""Maps after each block at which the network can end."""

_VOTES = ("mean_probability", "mean_logit", "majority")


def _loss(output: Output, target: Target) -> Tensor:
    """Cross entropy at every place, which bears the label of its picture."""
    patches = cast(Tensor, output.mask)
    return binary_loss(patches, target.label.view(-1, 1, 1, 1).expand_as(patches))


def _from_published(path: Path) -> dict[str, Tensor]:
    """A state dict of the authors' network, cut after whichever block."""
    state = read_tensors(path)
    add_batch_counters(state)
    return under_net(state, "convout")


def _published(block: int) -> Weights:
    return Weights(
        tag=f"block{block}",
        license="none stated (chail/patch-forensics has no license file)",
        trained_on=f"one of the authors' networks cut after block {block} (bestval_net_D.pth in a "
        f"folder named ..._xception_block{block}_...): generated faces, or one method of "
        "FaceForensics++; aligned faces, mean and std 0.5",
        polarity="class 0 is fake, 1 real; the logit here is z_0 - z_1",
        importer=_from_published,
        args={} if block == _BLOCK else {"block": block},
    )


CARD = Card(
    name="patch_based",
    summary="Xception cut after block 3: patches of 91 pixels are judged one by one and vote.",
    paper=Paper(
        title="What makes fake images detectable? Understanding properties that generalize",
        authors="Lucy Chai, David Bau, Ser-Nam Lim, Phillip Isola",
        venue="ECCV",
        year=2020,
        url="https://arxiv.org/abs/2008.10588",
        code="https://github.com/chail/patch-forensics",
        differences=(
            "Block: 3, as LipForensics (CVPR 2021) trains it; the paper compares blocks 1 to 5 "
            "(--set block=2). An imported file says by its tensors where it was cut.",
            "Vote: the mean of the patches' probabilities, its default; as a logit. Its two "
            "others are --set vote=mean_logit (the mean before the softmax) and vote=majority "
            "(each patch counts as one; half a patch is added to either side, so that all of "
            "them together are no infinite logit).",
            "Two outputs per patch stand behind the logit z_fake - z_real; the published class 0 "
            "is fake. Their cross entropy equals the binary one used here.",
            "Crop: upright, centered on the mean of five landmarks, 1.36 x the longest side of the "
            "CenterFace box, which is the authors' twice two eye distances at the median over 433 "
            "photographs. Theirs is also as wide as 3.6 distances of eyes and mouth where that is "
            "more, and centered higher, a tenth of the way from the eyes to the mouth.",
            "Size: straight to 299 px; the authors keep faces of 128 px, enlarged by Lanczos. "
            "For a pair both crops are made by the same points, here as there.",
            "Mask: the patches' logits, 19 x 19 places. Each learned the label of its picture, "
            "not whether it is itself fake.",
            "Training: at most 1,000 epochs, ended 50 epochs after the best accuracy of pictures; "
            "the authors count the accuracy of patches, and on FaceForensics++ train on one "
            "method with 250 epochs of patience for block 1, 100 for block 2, 50 for the others.",
            "Frames: three a second, on average 12 moments of a person in training; the authors "
            "take every frame of a training video and 100 of a test video. The video's logit is "
            "the mean of the frames'.",
        ),
    ),
    compared_in=("LipForensics",),
    fixtures=("patch_xception_block3.json",),
    verified="fixture, of block 3; layout only for the other blocks; no published file available",
    input=InputSpec(
        region="face",
        align="similarity",
        margin=1.36,
        size=(299, 299),
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        frames=1,
        fps=3.0,
    ),
    recipe=Recipe(
        loss=_loss,
        optimizer=Optimizer(kind="adam", learning_rate=1e-3),
        schedule=Schedule(epochs=1000, patience=50, monitor="accuracy"),
        sampling=Sampling(batch_size=32, augment="flip", kind="pairs"),
    ),
    weights=tuple(map(_published, sorted(_WIDTHS, key=lambda block: block != _BLOCK))),
    outputs=("mask",),
    cam_layer="net",
    aggregate="mean",
    args={"block": _BLOCK, "vote": "mean_probability"},
)


@detector(CARD)
class PatchBased(nn.Module):
    """The first layers of Xception and a 1x1 convolution to the classes fake and real.

    Args:
        block: the last one, 1 to 5; patches of 19, 43, 91, 187 or 283 pixels.
        vote: how the patches' logits become one, see ``vote_of``.

    Raises:
        UsageError: another block or vote.
    """

    def __init__(self, block: int = _BLOCK, vote: Vote = "mean_probability") -> None:
        super().__init__()
        if block not in _WIDTHS:
            raise UsageError(
                f"Cannot cut Xception after block {block}: expected one of "
                f"{', '.join(map(str, _WIDTHS))}. Give block one of these."
            )
        if vote not in _VOTES:
            raise UsageError(
                f"Cannot let patches vote by {vote!r}: expected one of {', '.join(_VOTES)}. "
                "Give vote one of these."
            )
        self.vote = vote
        self.net, _ = split_xception(f"block{block}")
        self.head = nn.Conv2d(_WIDTHS[block], 2, 1)
        self.apply(_initialize)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 299, 299) in -1..1; the mask (B, 1, 19, 19) are the patches' logits."""
        fake, real = self.head(self.net(clips.squeeze(2))).unbind(1)
        patches: Tensor = fake - real
        return Output(logit=vote_of(patches, self.vote), mask=patches[:, None])


def vote_of(patches: Tensor, how: Vote) -> Tensor:
    """One logit for each picture, above 0 where its patches find for fake.

    Args:
        patches: (B, h, w) logits.
        how: ``mean_probability``: the logit of the mean of the patches' probabilities;
            ``mean_logit``: the mean; ``majority``: the logarithm of votes for fake over votes for
            real, half a vote added to either.

    Returns:
        (B,).

    >>> import torch
    >>> patches = torch.tensor([[[8.0, -1.0, -1.0]]])
    >>> [round(vote_of(patches, how).item(), 2) for how in ("mean_logit", "majority")]
    [2.0, -0.51]
    """
    flat = patches.flatten(1)
    if how == "mean_logit":
        return flat.mean(dim=1)
    if how == "majority":
        # A patch at 0 gives half a vote to either side.
        fake = (flat.sign() + 1).sum(dim=1) / 2
        return ((fake + 0.5) / (flat.shape[1] - fake + 0.5)).log()
    # log(mean p) - log(mean (1 - p)), which stays finite where every p is 1.
    fake, real = functional.logsigmoid(flat), functional.logsigmoid(-flat)
    return fake.logsumexp(dim=1) - real.logsumexp(dim=1)


def _initialize(module: nn.Module) -> None:
    """The authors' way: Xavier normal with a gain of 0.02, norms around 1."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_normal_(module.weight, gain=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
