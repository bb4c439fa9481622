"""EMD: do the traces of a forgery lie where a face shows its expression?

An encoder-decoder looks for forged pixels, and is shown what a frozen network of facial
expressions sees in the same picture (Mazaheri & Roy-Chowdhury, 2022). What differs from the
paper is listed in the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors._card import Ablation, Card, Output, Paper, Recipe, Stage, Target, Weights
from unmask.detectors._pickle import read_tensors
from unmask.detectors._registry import detector
from unmask.detectors._xception import (
    IMAGENET_FILE,
    INPUT,
    faceforensics_start,
    imagenet_start,
    undecided,
)
from unmask.errors import UsageError, WeightsError, WrongVariantError
from unmask.losses import ensemble_loss, manipulation_loss
from unmask.nn.deeplab import LATENT_MAPS, DeepLabDecoder, XceptionEncoder
from unmask.nn.esr import BRANCHES, CLASSES, ESR, MAPS, vote
from unmask.nn.esr import from_published as esr_from_published
from unmask.nn.fresh import fresh_state
from unmask.nn.xception import from_published as xception_from_published
from unmask.types import InputSpec

FerName = Literal["none", "sim", "ens"]

_FER_PX = 96
_BASE_FILE = "Net-Base-Shared_Representations.pt"
_FROM_XCEPTION = tuple(
    f"encoder.net.{part}"
    for part in ("conv1.", "bn1.", "conv2.", "bn2.", "block", "conv3.", "bn3.")
)
"""What an Xception file brings: all but the last convolution, which sees more here."""

_ZEROED = "head and mask are"
_WITH_ESR = ", and the files of ESR-9 if they lie in the same folder"

_BRANCHES = {"sim": 1, "ens": BRANCHES}


def _loss(output: Output, target: Target) -> Tensor:
    assert output.mask is not None and target.mask is not None  # The recipe needs masks.
    return manipulation_loss(output.logit, output.mask, target.label, target.mask)


def _from_published(path: Path) -> dict[str, Tensor]:
    """ESR-9 or an Xception as a start, and the other one too where it lies in the same folder.

    What the files do not hold is drawn as for any new network, but for the two last layers:
    they are 0, so that picture and pixels are undecided until trained.
    """
    published = read_tensors(path)
    state: dict[str, Tensor] = {}
    if "block1.skip.weight" in (xception := xception_from_published(published)):
        state |= _encoder_state(xception)
        if path.with_name(_BASE_FILE).is_file():
            state |= _fer_state(path.parent)
    elif {"conv4.weight", "bn4.weight"} <= published.keys():
        state |= _fer_state(path.parent)
        if (imagenet := path.with_name(IMAGENET_FILE)).is_file():
            state |= _encoder_state(xception_from_published(read_tensors(imagenet)))
    else:
        raise WeightsError(
            f"Weights '{path}' are neither of ESR-9 nor of an Xception. Give {_BASE_FILE} with "
            "Net-Branch_1.pt to Net-Branch_9.pt beside it, or an Xception file."
        )
    given = {key.partition(".")[0] for key in state}
    parts = {"encoder": _FROM_XCEPTION, "fer": ("fer.",)}
    start = fresh_state(Emd, without=tuple(p for part in given for p in parts[part]))
    for layer in ("head", "decoder.mask"):
        start[f"{layer}.weight"].zero_()
        start[f"{layer}.bias"].zero_()
    return start | state


def _fer_state(folder: Path) -> dict[str, Tensor]:
    """The ten files of ESR-9; the heads for valence and arousal are left out."""
    names = [_BASE_FILE, *(f"Net-Branch_{number}.pt" for number in range(1, BRANCHES + 1))]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise WrongVariantError(
            f"Weights of ESR-9 in '{folder}' are not whole: expected {_BASE_FILE} and "
            f"{names[1]} to {names[-1]}, missing {', '.join(missing)}. "
            "Put all ten files into one folder."
        )
    base, *branches = (read_tensors(folder / name) for name in names)
    state = esr_from_published(base, branches, has_affect=False)
    return {f"fer.esr.{key}": value for key, value in state.items()}


def _encoder_state(xception: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An Xception without its last convolution and its head."""
    replaced = ("conv4.", "bn4.", "last_linear.")
    return {f"encoder.net.{k}": v for k, v in xception.items() if not k.startswith(replaced)}


def _build_fer(args: Mapping[str, object], classes: int) -> nn.Module:
    """The expression network to be trained by itself, for the detector's arguments."""
    fer, expected = str(args["fer"]), args["classes"]
    if fer not in _BRANCHES:
        raise UsageError(
            f"Cannot train the expression network: fer is {fer!r}, so the detector has none. "
            "Use --set fer=ens or --set fer=sim."
        )
    if classes != expected:
        raise UsageError(
            f"Cannot train the expression network: the data have {classes} expressions, the "
            f"detector expects {expected}. Use --set classes={classes}, here and for the detector, "
            "or choose the expressions with --method."
        )
    return _ExpressionClassifier(_BRANCHES[fer], classes)


_EXPRESSIONS = (
    *("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"),
)
_FER = Stage(
    summary="Facial expressions: shared layers and nine branches, each with its own cross entropy.",
    layout="affectnet",
    classes=_EXPRESSIONS,
    # The detector's crop, which is what the network is shown later on.
    input=InputSpec(
        region="face",
        margin=INPUT.margin,
        size=(_FER_PX, _FER_PX),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        frames=1,
    ),
    # EMD does not say how; these are the settings of ESR's authors, who add branches one by one.
    recipe=Recipe(
        loss=_loss,
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.9,
        batch_size=32,
        epochs=50,
        schedule="step",
        schedule_epochs=10,
        schedule_factor=0.5,
        patience=50,
        augment="flip",
        sampling="balanced",
        monitor="accuracy",
    ),
    build=_build_fer,
    loss=ensemble_loss,
    into=dict,  # _ExpressionClassifier has the detector's names.
)

CARD = Card(
    name="emd",
    summary="Forged pixels, found with the help of a network that reads facial expressions.",
    paper=Paper(
        title="Detection and Localization of Facial Expression Manipulations",
        authors="Ghazal Mazaheri, Amit K. Roy-Chowdhury",
        venue="WACV",
        year=2022,
        url="https://arxiv.org/abs/2103.08134",
        differences=(
            "Encoder: Xception of FaceForensics++ at stride 16, its last two separable "
            "convolutions dilated by 2, as DeepLabv3+ has it; the paper speaks of minor changes "
            "without naming them.",
            "Junction: the 6 x 6 expression maps are resized bilinearly to the encoder's 19 x 19; "
            "the paper does not say how they are made to fit.",
            "Decoder: two 3 x 3 convolutions over pyramid and first block, with the dropout of "
            "jfzhang95/pytorch-deeplab-xception; the paper gives neither widths nor number.",
            "Segmentation loss: Eq. 7 is taken as the mean over pixels. As printed it sums over "
            "them, which would outweigh Eq. 6 by 89,401 to 1.",
            "Masks: forged where the true mask exceeds 0.1 of full scale; the paper calls them "
            "binary without a threshold.",
            "First 3 epochs: all that is new is trained (last convolution, decoder, head); the "
            "paper names the head alone, in front of a convolution drawn at random.",
            "Expressions: the picture is resized to 96 x 96 as it is, 1.3 x the face box, so that "
            "both streams see the same; ESR was trained on the bare box.",
            "Expression network: one class each for 8 expressions as published; the paper counts "
            "11 categories of AffectNet, three of which are no expressions (--set classes=11).",
            "Expression network, training (stage fer): all branches at once by Eq. 1, at the "
            "rates of ESR's authors, who add a branch every 50 epochs, take 5,000 pictures of a "
            "class, and turn, move, enlarge and relight them; here an epoch draws classes "
            "equally often and pictures are mirrored alone. --teacher adds the divergence from "
            "an earlier run; no paper does.",
            "SimFER: ESR's shared layers and a single branch; the paper says no more than shallow "
            "convolutional layers.",
            "Start: at random, unless imported files are given; the paper starts the encoder from "
            "ImageNet. Head and mask layer of an import are 0.",
            "Crop: 1.3 x the longest side of the CenterFace box; the paper does not say. Frames: "
            "three a second, in training 12 of each person; the paper takes 200 of every training "
            "video, 10 of the others.",
            "Training: both classes are drawn equally often, without augmentation; the paper says "
            "nothing of either.",
            "Video: the mean logit of the frames; the paper judges single pictures.",
            "Embedding: the 2048 numbers before the head; the paper has none.",
        ),
    ),
    input=INPUT,
    recipe=Recipe(
        loss=_loss,
        optimizer="adam",
        learning_rate=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        batch_size=16,
        epochs=23,
        patience=23,
        warmup_epochs=3,
        warmup_parts=("encoder.net.conv4", "encoder.net.bn4", "decoder", "head"),
        freeze=("fer",),
        needs_masks=True,
        monitor="accuracy",
    ),
    weights=(
        Weights(
            tag="esr9",
            license="non-commercial (the authors' README; their code is MIT); data: research only",
            trained_on=f"AffectNet: ESR-9, {_BASE_FILE} with Net-Branch_1.pt to Net-Branch_9.pt "
            f"in the same folder, and {IMAGENET_FILE} if it lies there: a start for training, "
            "not a detector",
            polarity=undecided(_ZEROED),
            importer=_from_published,
        ),
        imagenet_start(_from_published, zeroed=_ZEROED, used=_WITH_ESR),
        faceforensics_start(_from_published, zeroed=_ZEROED, used=_WITH_ESR),
    ),
    outputs=("mask", "embedding"),
    mask_places="corners",
    cam_layer="encoder.net.conv4",
    heat_maps={"fer_cam": "expression_map"},
    aggregate="mean",
    args={"fer": "ens", "classes": len(CLASSES)},
    stages={"fer": _FER},
    starts_from="imagenet",
    ablations=(
        Ablation(
            row="no-fer",
            tables=("emd/table4", "emd/figure4", "emd/figure5"),
            settings=("fer=none",),
            starts_from="",
        ),
        Ablation(
            row="simfer",
            tables=("emd/table5",),
            settings=("fer=sim",),
            stage="fer",
        ),
        Ablation(row="full", tables=("emd/table4", "emd/figure4", "emd/figure5", "emd/table5")),
    ),
)


class ExpressionStream(nn.Module):
    """ESR, and of each picture the maps of the branch that is surest of the expression.

    Args:
        branches: 9, or 1 for SimFER.
        classes: expressions.
    """

    def __init__(self, branches: int, classes: int) -> None:
        super().__init__()
        self.esr = ESR(branches, classes, has_affect=False)

    def emotions(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W), RGB in 0..1, to logits (B, N, classes) and maps (B, N, 512, 6, 6)."""
        # OpenCV's order of channels and its resizing, which ESR was trained with.
        small = functional.interpolate(pictures.flip(1), (_FER_PX, _FER_PX), mode="bilinear")
        output = self.esr(small)
        return output.emotions, output.maps

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W), RGB in 0..1, to the chosen branches' maps (B, 512, 6, 6) (Eq. 5)."""
        emotions, maps = self.emotions(pictures)
        _, branch = vote(emotions)
        return _take(maps, branch)

    def activation(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W), RGB in 0..1, to where the voted expression is seen, (B, 6, 6) (Fig. 7).

        The chosen branch's maps, weighted by its head's weights for that expression.
        """
        emotions, maps = self.emotions(pictures)
        expression, branch = vote(emotions)
        heads = torch.stack(tuple(one.get_parameter("fc.weight") for one in self.esr.branches))
        return torch.einsum("bc,bchw->bhw", heads[branch, expression], _take(maps, branch))


class _ExpressionClassifier(nn.Module):
    """The expression stream as its own stage trains it; named as in the detector."""

    def __init__(self, branches: int, classes: int) -> None:
        super().__init__()
        self.fer = ExpressionStream(branches, classes)

    def forward(self, clips: Tensor) -> Tensor:
        """(B, 3, 1, 96, 96), RGB in 0..1, to logits (B, branches, classes)."""
        logits: Tensor = self.fer.emotions(clips.squeeze(2))[0]
        return logits


@detector(CARD)
class Emd(nn.Module):
    """Xception and DeepLabv3+'s decoder, joined by the expression stream.

    Args:
        fer: ``ens`` for nine branches that vote, ``sim`` for a single one, ``none`` without.
        classes: expressions that the stream tells apart.

    Raises:
        UsageError: ``fer`` is none of the three.
    """

    def __init__(self, fer: FerName = "ens", classes: int = len(CLASSES)) -> None:
        super().__init__()
        if fer not in get_args(FerName):
            raise UsageError(f"Cannot set fer={fer!r}: expected 'ens', 'sim' or 'none'.")
        has_fer = fer in _BRANCHES
        # Without the stream a part of that name still stands there to be frozen.
        self.fer = ExpressionStream(_BRANCHES[fer], classes) if has_fer else nn.Identity()
        self.encoder = XceptionEncoder(beside=MAPS if has_fer else 0)
        self.decoder = DeepLabDecoder()
        self.head = nn.Linear(LATENT_MAPS, 2)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 299, 299) in -1..1; mask (B, 1, 74, 74), embedding (B, 2048)."""
        pictures = clips.squeeze(2)
        seen = None
        if isinstance(self.fer, ExpressionStream):
            seen = self.fer(pictures / 2 + 0.5)
        low, latent = self.encoder(pictures, seen)
        embedding = latent.mean(dim=(2, 3))
        real, fake = self.head(embedding).unbind(1)
        return Output(logit=fake - real, mask=self.decoder(low, latent), embedding=embedding)

    def expression_map(self, clips: Tensor) -> Tensor:
        """Where the expression is seen, (B, 6, 6), for (B, 3, 1, 299, 299) in -1..1 (Fig. 7).

        Raises:
            UsageError: the network was built without the expression stream.
        """
        if not isinstance(self.fer, ExpressionStream):
            raise UsageError(
                "Cannot show where the expression is seen: fer is 'none'. Use fer='ens' or 'sim'."
            )
        return self.fer.activation(clips.squeeze(2) / 2 + 0.5)


def _take(maps: Tensor, branch: Tensor) -> Tensor:
    """Of maps (B, N, C, h, w) those of one branch (B,) for each picture: (B, C, h, w)."""
    return maps.take_along_dim(branch[:, None, None, None, None], dim=1).squeeze(1)
