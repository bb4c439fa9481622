"""EMD: do the traces of a forgery lie where a face shows its expression?

An encoder-decoder looks for forged pixels, and is shown what a frozen network of facial
expressions sees in the same picture (Mazaheri & Roy-Chowdhury, 2022). What differs from the
paper is listed in the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Ablation, Card, Output, Paper, Target
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.detectors.shared.expression import (
    BASE_FILE,
    BRANCHES_OF,
    esr_start,
    esr_state,
    expression_pretraining,
    is_esr,
)
from unmask.detectors.shared.xception import (
    IMAGENET_FILE,
    INPUT,
    faceforensics_start,
    imagenet_start,
    undecided,
)
from unmask.errors import UsageError, WeightsError
from unmask.losses import manipulation_loss
from unmask.nn.deeplab import LATENT_MAPS, DeepLabDecoder, XceptionEncoder
from unmask.nn.esr import CLASSES, MAPS
from unmask.nn.expression import ExpressionStream
from unmask.nn.fresh import fresh_state
from unmask.nn.xception import from_published

FerName = Literal["none", "sim", "ens"]

_FROM_XCEPTION = tuple(
    f"encoder.net.{part}"
    for part in ("conv1.", "bn1.", "conv2.", "bn2.", "block", "conv3.", "bn3.")
)
"""What an Xception file brings: all but the last convolution, which sees more here."""

_ZEROED = "head and mask are"
_WITH_ESR = ", and the files of ESR-9 if they lie in the same folder"


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
    if "block1.skip.weight" in (xception := from_published(published)):
        state |= _encoder_state(xception)
        if path.with_name(BASE_FILE).is_file():
            state |= esr_state(path.parent)
    elif is_esr(published):
        state |= esr_state(path.parent)
        if (imagenet := path.with_name(IMAGENET_FILE)).is_file():
            state |= _encoder_state(from_published(read_tensors(imagenet)))
    else:
        raise WeightsError(
            f"Weights '{path}' are neither of ESR-9 nor of an Xception. Give {BASE_FILE} with "
            "Net-Branch_1.pt to Net-Branch_9.pt beside it, or an Xception file."
        )
    given = {key.partition(".")[0] for key in state}
    parts = {"encoder": _FROM_XCEPTION, "fer": ("fer.",)}
    start = fresh_state(Emd, without=tuple(p for part in given for p in parts[part]))
    for layer in ("head", "decoder.mask"):
        start[f"{layer}.weight"].zero_()
        start[f"{layer}.bias"].zero_()
    return start | state


def _encoder_state(xception: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An Xception without its last convolution and its head."""
    replaced = ("conv4.", "bn4.", "last_linear.")
    return {f"encoder.net.{k}": v for k, v in xception.items() if not k.startswith(replaced)}


CARD = Card(
    name="emd",
    summary="Manipulated pixels, found with the help of a network that reads facial expressions.",
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
            "Masks: fake where the true mask exceeds 0.1 of full scale; the paper calls them "
            "binary without a threshold.",
            "First 3 epochs: all that is new is trained (last convolution, decoder, head); the "
            "paper names the head alone, in front of a convolution drawn at random.",
            "Expressions: the picture is resized to 96 x 96 as it is, 1.3 x the face box, so that "
            "both streams see the same; ESR was trained on the bare box.",
            "Expression network: one class each for 8 expressions as published; the paper counts "
            "11 categories of AffectNet, three of which are no expressions (--set classes=11).",
            "Expression network, training (pretraining): all branches at once by Eq. 1, at the "
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
    compared_in=("EMD",),
    fixtures=("esr9.json", "deeplabv3plus_xception_os16.json", "ff_xception.json"),
    verified="parts: expression stream, decoder and encoder; the whole is not verified against the "
    "authors' code: none is public",
    input=INPUT,
    recipe=Recipe(
        loss=_loss,
        freeze=("fer",),
        optimizer=Optimizer(kind="adam", learning_rate=1e-3, betas=(0.9, 0.999), eps=1e-8),
        schedule=Schedule(
            epochs=23,
            patience=23,
            warmup_epochs=3,
            warmup_parts=("encoder.net.conv4", "encoder.net.bn4", "decoder", "head"),
            monitor="accuracy",
        ),
        sampling=Sampling(batch_size=16, needs_masks=True),
    ),
    weights=(
        esr_start(
            _from_published,
            polarity=undecided(_ZEROED),
            used=f", and {IMAGENET_FILE} if it lies there",
        ),
        imagenet_start(_from_published, zeroed=_ZEROED, used=_WITH_ESR),
        faceforensics_start(_from_published, zeroed=_ZEROED, used=_WITH_ESR),
    ),
    outputs=("mask", "embedding"),
    mask_places="corners",
    cam_layer="encoder.net.conv4",
    heat_maps=("fer_cam",),
    aggregate="mean",
    args={"fer": "ens", "classes": len(CLASSES)},
    pretraining={"fer": expression_pretraining(_loss)},
    starts_from="imagenet",
    ablations=(
        Ablation(
            row="no-fer",
            tables=("emd/table4", "emd/figure4", "emd/figure5"),
            settings=("fer=none",),
        ),
        Ablation(
            row="simfer",
            tables=("emd/table5",),
            settings=("fer=sim",),
            pretraining="fer",
            starts_from="imagenet",
        ),
        Ablation(row="full", tables=("emd/table4", "emd/figure4", "emd/figure5", "emd/table5")),
    ),
)


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
        has_fer = fer in BRANCHES_OF
        # Without the stream a part of that name still stands there to be frozen.
        self.fer = ExpressionStream(BRANCHES_OF[fer], classes) if has_fer else nn.Identity()
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

    def heat_map(self, name: str, clips: Tensor) -> Tensor:
        """Where the expression is seen, (B, 6, 6), for (B, 3, 1, 299, 299) in -1..1 (Fig. 7).

        Raises:
            UsageError: the network was built without the expression stream.
        """
        if not isinstance(self.fer, ExpressionStream):
            raise UsageError(
                "Cannot show where the expression is seen: fer is 'none'. Use fer='ens' or 'sim'."
            )
        return self.fer.activation(clips.squeeze(2) / 2 + 0.5)
