"""Two Xceptions see each frame at two levels of compression; the one for the worse detects.

In training the better one hands down where it looks, a critic makes their features alike, and a
hinge draws real embeddings to the origin and pushes forged ones out (Cao et al., Metric Learning
for Anti-Compression Facial Forgery Detection, ACM MM 2021). What differs from the paper, and what
it leaves open, is listed in the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Ablation, Card, Output, Paper, Target
from unmask.detectors.recipe import Adversary, Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.detectors.shared.xception import INPUT, faceforensics_start, imagenet_start
from unmask.errors import DataError, UsageError
from unmask.losses import (
    attention_transfer_loss,
    binary_loss,
    coding_distance_loss,
    gradient_penalty,
    wasserstein_distance,
)
from unmask.losses.attention_transfer import attention_target
from unmask.losses.coding_distance import norm_hinge
from unmask.nn.attention_map import AttentionMap
from unmask.nn.fresh import fresh_state
from unmask.nn.heads import reset_head
from unmask.nn.xception import from_published, split_xception

# Eq. 1, section 4.2: lambda 2, 3 and 1.
_ATTENTION_WEIGHT = 1.0
_DISTANCE_WEIGHT = 0.1
_ALIGNMENT_WEIGHT = 0.001

_EARLY_PARTS = frozenset({"conv1", "bn1", "conv2", "bn2", *(f"block{n}" for n in range(1, 8))})
"""Of Xception: those before the attention map."""


def _validation_loss(output: Output, target: Target) -> Tensor:
    """What can be said of the branch for the worse compression by itself.

    Classification, its attention map against the true mask (not against the other branch's; left
    out where there is no mask), and its own hinge of Eq. 6, with the weights of the paper.
    """
    assert output.mask is not None and output.embedding is not None
    loss = binary_loss(output.logit, target.label)
    loss = loss + _DISTANCE_WEIGHT * norm_hinge(output.embedding, target.label)
    if target.mask is None:
        return loss
    truth = _true_map(output.mask, target.mask, target.label)
    return loss + _ATTENTION_WEIGHT * (output.mask.sigmoid() - truth).abs().mean()


def _true_map(found: Tensor, mask: Tensor, label: Tensor) -> Tensor:
    return attention_target(mask, label, (found.shape[-2], found.shape[-1]))


def _from_xception(path: Path) -> dict[str, Tensor]:
    """A published Xception file as the start of both branches; what is new is drawn at random."""
    published = from_published(read_tensors(path))
    # Behind an attention layer that these weights have never seen the old head says nothing.
    reset_head(published, "last_linear", 2, 2)
    brought = [f"{b}.{part}." for b in ("high", "low") for part in ("early", "late", "head")]
    state = fresh_state(AntiCompression, without=tuple(brought))
    for key, value in published.items():
        part, _, rest = key.partition(".")
        half = "early" if part in _EARLY_PARTS else "late"
        ours = f"head.{rest}" if part == "last_linear" else f"{half}.{key}"
        # Clones: safetensors refuses tensors that share their memory.
        state |= {f"high.{ours}": value, f"low.{ours}": value.clone()}
    return state


_NO_CRITIC = ("alignment_weight=0", "adversary=()", "monitor=auc")

CARD = Card(
    name="anti_compression",
    summary="Xception for compressed faces, taught by one that saw the better compressed twins.",
    paper=Paper(
        title="Metric Learning for Anti-Compression Facial Forgery Detection",
        authors="Shenhao Cao, Qin Zou, Xiuqing Mao, Zhongyuan Wang",
        venue="ACM MM",
        year=2021,
        url="https://arxiv.org/abs/2103.08397",
        code="https://github.com/qinnzou/detect-fake-image",
        differences=(
            "The paper is followed, not the authors' code, which trains another "
            "system: both branches share all behind block 7, there is no classifier (the norm of "
            "the embedding is the score) and no critic, radii 0.01 and 18, cross entropy on both "
            "maps, batches of 64, weight decay 1e-4. Their trained files do not fit this network.",
            "Attention layer: one 3x3 convolution to one map, and a sigmoid; the paper says a "
            "convolution and a sigmoid, the authors' code has a separable one.",
            "True maps: the mask's mean over the area that each of the 19 x 19 places covers, "
            "then 1 from 0.1 of full scale on. The paper does not say how masks are reduced; the "
            "authors' code resizes before it compares, too, but with 0.2.",
            "L_AT: means over pixels, where Eq. 5 writes L1 norms; its first term sends no "
            "gradient to the better branch, as the text (transfer from M_H to M_L) has it.",
            "L_Dis: means over the batch, where Eq. 6 writes sums; the paper's batch sums would "
            "make lambda 3 depend on the batch's size.",
            "L_Gan: Wasserstein form with gradient penalty 10 after Gulrajani et al. 2017; the "
            "paper names WGAN-GP but prints logarithms. The paper gives no other numbers; ours are "
            "5 critic steps for each step of the branches (Gulrajani's), with the same Adam.",
            "Critic: 1x1 convolution 1456 to 512, two 3x3 convolutions of stride 2 to 256 and "
            "128, each with LeakyReLU 0.2, a 1x1 convolution to one map, its mean. The paper "
            "gives the first kernel alone; the authors' code holds an unused critic of 200 million "
            "weights, without norm layers and with LeakyReLU 0.2 as here.",
            "Loss of the labels: the sum of both branches' cross entropies, each that of z_fake - "
            "z_real, which equals cross entropy over two classes.",
            "Validation loss: of the branch for the worse compression alone (labels, attention "
            "map against the true mask, hinge on its embedding), because only that runs at test "
            "time. Its weights stay the paper's when --set changes those of training; stop an "
            "ablation by --set monitor=auc.",
            "Stop: the first epoch without a lower validation loss, at most 100; the paper stops "
            "when the loss does not fall, and gives no number of epochs.",
            "Batch: 32 frames, each in both compressions.",
            "Table 2's first row: three weights of 0 and twins=none train one Xception whose "
            "attention layer nothing supervises; the paper's row may be a plain Xception, which "
            "is a detector of its own here.",
            "Crop: 1.3 x the longest side of the CenterFace box; the paper takes the face region "
            "from the tracker of Face2Face. No augmentation, as in the paper.",
            "Frames: three a second, in training 12 of each person; the video's logit is the mean "
            "of the frames'. The paper takes 270 frames of a video and scores each by itself.",
            "Start: at random, unless an imported ImageNet file is given (the paper's start). The "
            "heads are replaced by zeros.",
        ),
    ),
    compared_in=("Anti-Compression",),
    fixtures=("ff_xception.json",),
    verified="parts: its Xceptions; the whole is not verified against the authors' code, which is "
    "another system",
    input=INPUT,
    recipe=Recipe(
        loss=_validation_loss,
        optimizer=Optimizer(kind="adam", learning_rate=1e-4),
        schedule=Schedule(epochs=100, patience=1, monitor="negative_loss"),
        sampling=Sampling(batch_size=32, kind="balanced", twins=("c23", "c40"), needs_masks=True),
        adversary=Adversary(parts=("critic",), steps=5),
    ),
    weights=(
        imagenet_start(_from_xception, zeroed="the heads are", used=", in both branches"),
        faceforensics_start(_from_xception, zeroed="the heads are", used=", in both branches"),
    ),
    outputs=("mask", "embedding"),
    cam_layer="low.late.conv4",
    aggregate="mean",
    args={
        "attention_weight": _ATTENTION_WEIGHT,
        "distance_weight": _DISTANCE_WEIGHT,
        "alignment_weight": _ALIGNMENT_WEIGHT,
        "penalty_weight": 10.0,
    },
    starts_from="imagenet",
    ablations=tuple(
        Ablation(
            row=row,
            tables=("anti_compression/table2",),
            settings=settings,
            compressions=compressions,
        )
        for row, settings, compressions in (
            (
                "cls",
                (
                    *("twins=none", "needs_masks=false", "attention_weight=0"),
                    *("distance_weight=0", *_NO_CRITIC),
                ),
                ("c40",),
            ),
            ("cls+at", ("distance_weight=0", *_NO_CRITIC), ()),
            ("cls+at+dis", _NO_CRITIC, ()),
            ("cls+at+dis+gan", ("monitor=auc",), ()),
        )
    ),
)


class _Seen(NamedTuple):
    """``maps`` V (B, 728, h, w), ``mask`` logits of M (B, 1, h, w), ``embedding`` C (B, 2048)."""

    maps: Tensor
    mask: Tensor
    embedding: Tensor
    logit: Tensor


class _Branch(nn.Module):
    """Xception with an attention map between block 7 and block 8."""

    def __init__(self) -> None:
        super().__init__()
        self.early, self.late = split_xception("block7")
        self.attention = AttentionMap(728)
        self.head = nn.Linear(2048, 2)

    def forward(self, images: Tensor) -> _Seen:
        maps = self.early(images)
        attended, mask = self.attention(maps)
        embedding = self.late(attended)
        real, fake = self.head(embedding).unbind(1)
        return _Seen(maps, mask, embedding, fake - real)


class _Critic(nn.Module):
    """Scores (B, 1456, h, w), the maps of both branches one after the other; (B,).

    Without batch norm: the gradient penalty looks at each sample by itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2 * 728, 512, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(512, 256, 3, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(256, 128, 3, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(128, 1, 1),
        )

    def forward(self, maps: Tensor) -> Tensor:
        score: Tensor = self.layers(maps)
        return score.mean(dim=(1, 2, 3))


@detector(CARD)
class AntiCompression(nn.Module):
    """A branch for the better compression (``high``), one for the worse (``low``), and a critic.

    Args:
        attention_weight: lambda 2 of Eq. 1, of L_AT; a weight of 0 leaves its term out.
        distance_weight: lambda 3, of L_Dis.
        alignment_weight: lambda 1, of L_Gan. At 0 the critic stays as it is and costs nothing
            but the batches that it is given.
        penalty_weight: of the critic's gradient penalty.
    """

    def __init__(
        self,
        attention_weight: float = _ATTENTION_WEIGHT,
        distance_weight: float = _DISTANCE_WEIGHT,
        alignment_weight: float = _ALIGNMENT_WEIGHT,
        penalty_weight: float = 10.0,
    ) -> None:
        super().__init__()
        self._weights = {
            "attention_weight": attention_weight,
            "distance_weight": distance_weight,
            "alignment_weight": alignment_weight,
            "penalty_weight": penalty_weight,
        }
        _check_weights(self._weights)
        self.high = _Branch()
        self.low = _Branch()
        self.critic = _Critic()

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 299, 299) in -1..1 with the branch for the worse compression alone.

        The mask (B, 1, 19, 19) is its attention map before the sigmoid, the embedding (B, 2048).
        """
        seen = self.low(clips.squeeze(2))
        return Output(logit=seen.logit, mask=seen.mask, embedding=seen.embedding)

    def training_loss(self, clips: Tensor, target: Target) -> Tensor:
        """Eq. 1: what both branches learn from pictures at two levels of compression.

        The critic gets no gradient. With all three weights at 0 no twins are needed: then the
        one branch learns the labels of what it is given.

        Args:
            clips: (B, 3, 1, H, W), the worse compression.
            target: with ``twin``, the better one, and ``mask``.

        Returns:
            A scalar.

        Raises:
            DataError: there are no twins or no masks, and a term of the loss needs them.
        """
        attention, distance, alignment, _ = self._weights.values()
        if target.twin is None and not (attention or distance or alignment):
            return binary_loss(self.low(clips.squeeze(2)).logit.float(), target.label)
        twin = _twin_of(clips, target)
        low, high = _seen(self.low, clips), _seen(self.high, twin)
        loss = binary_loss(low.logit, target.label) + binary_loss(high.logit, target.label)
        if attention:
            truth = _true_map(high.mask, _mask_of(target), target.label)
            maps = high.mask.sigmoid(), low.mask.sigmoid()
            loss = loss + attention * attention_transfer_loss(*maps, truth)
        if distance:
            apart = coding_distance_loss(high.embedding, low.embedding, target.label)
            loss = loss + distance * apart
        if alignment:
            loss = loss + alignment * self._distance(high.maps, low.maps, is_critic_fixed=True)
        return loss

    def adversary_loss(self, clips: Tensor, target: Target) -> Tensor:
        """What the critic lowers: minus the Wasserstein distance, plus the gradient penalty.

        Both branches stay untouched: no gradient, and batch norms that do not move.

        Args:
            clips: (B, 3, 1, H, W), the worse compression.
            target: with ``twin``, the better one.

        Returns:
            A scalar; 0 with a gradient of 0 where ``alignment_weight`` is 0.

        Raises:
            DataError: there are no twins.
        """
        if not self._weights["alignment_weight"]:
            return 0.0 * sum((p.sum() for p in self.critic.parameters()), torch.zeros(()))
        twin = _twin_of(clips, target)
        low, high = _maps_alone(self.low, clips), _maps_alone(self.high, twin)
        with torch.autocast(clips.device.type, enabled=False):
            penalty = gradient_penalty(
                self.critic, *_both_orders(high, low), weight=self._weights["penalty_weight"]
            )
        return penalty - self._distance(high, low, is_critic_fixed=False)

    def _distance(self, high: Tensor, low: Tensor, *, is_critic_fixed: bool) -> Tensor:
        """How well the critic tells concat(V_H, V_L) from concat(V_L, V_H); in float32."""
        weights: dict[str, Tensor] = dict(self.critic.named_parameters())
        if is_critic_fixed:
            weights = {key: weight.detach() for key, weight in weights.items()}
        both = torch.cat(_both_orders(high, low))
        with torch.autocast(both.device.type, enabled=False):
            first, second = functional_call(self.critic, weights, (both,)).chunk(2)
        return wasserstein_distance(first, second)


def _both_orders(high: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
    """concat(V_H, V_L) and concat(V_L, V_H), each (B, 1456, h, w)."""
    return torch.cat([high, low], dim=1), torch.cat([low, high], dim=1)


def _seen(branch: nn.Module, clips: Tensor) -> _Seen:
    """A branch's output in float32: losses are not computed in half precision."""
    return _Seen(*(part.float() for part in branch(clips.squeeze(2))))


def _maps_alone(branch: nn.Module, clips: Tensor) -> Tensor:
    """V of a branch as training sees it, without a gradient and without moving batch norms."""
    early = branch.get_submodule("early")
    copies = {key: buffer.clone() for key, buffer in early.named_buffers()}
    with torch.no_grad():
        maps: Tensor = functional_call(early, copies, (clips.squeeze(2),))
    return maps.float()


def _twin_of(clips: Tensor, target: Target) -> Tensor:
    found = "none" if target.twin is None else f"shape {tuple(target.twin.shape)}"
    if target.twin is None or target.twin.shape != clips.shape:
        raise DataError(
            f"Cannot train {CARD.name}: expected each clip a second time in better compression, "
            f"shape {tuple(clips.shape)}, got {found}. Give a data set that holds every video at "
            "both levels, and name them: --set \"twins=('c23','c40')\". Or train one branch on "
            "labels alone: --set twins=none --set attention_weight=0 --set distance_weight=0 "
            "--set alignment_weight=0 --set 'adversary=()'."
        )
    return target.twin


def _mask_of(target: Target) -> Tensor:
    if target.mask is None:
        raise DataError(
            f"Cannot train {CARD.name}: expected the true masks of the forgeries, got none. Give "
            "a data set with masks, or leave the attention term out: --set attention_weight=0 "
            "--set needs_masks=false."
        )
    return target.mask


def _check_weights(weights: Mapping[str, float]) -> None:
    for key, weight in weights.items():
        if not 0 <= weight < float("inf"):
            raise UsageError(f"Cannot set {key}={weight!r}: expected a number of at least 0.")
