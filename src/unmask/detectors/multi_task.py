"""Multi-task: is a face forged, and where, out of an autoencoder's latent halves (ClassNSeg).

One half of the latent maps answers to fake faces, the other one to real ones; from the half
that is stronger, one decoder draws the mask and another one, in training, the picture itself
(Nguyen et al., BTAS 2019). Published class 1 is REAL; what differs is listed in the card.
"""

from __future__ import annotations

import re
from pathlib import Path

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.checkpoints.safetensors_file import file_sha256
from unmask.detectors.card import Card, Output, Paper, Target, Weights
from unmask.detectors.registry import detector
from unmask.detectors.shared.multi_task import DIFFERENCES, INPUT, RECIPE, joint_loss, output_of
from unmask.errors import WeightsError, WrongVariantError
from unmask.nn.segmenting_autoencoder import SegmentingAutoencoder

_ENCODER_SHA256 = "ffb23169bf325217a9319a304992735b9da882027883ae0d09517a8ff2223dbf"
_DECODER_SHA256 = "0c4e45cdc9e1edbad4f0cc72eed1f1a97f7308bf8ad0227b439d020ead15ca2d"
_NAME = re.compile(r"(encoder|decoder)(_\d+)?\.pt")


def _from_published(path: Path) -> dict[str, Tensor]:
    """``encoder_N.pt`` and ``decoder_N.pt`` out of one folder, whichever is named."""
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise WeightsError(
            f"Cannot tell which part '{path}' holds: expected a name like encoder_46.pt or "
            "decoder_46.pt. Give the published file under its own name, both in one folder."
        )
    pair = [path.with_name(f"{part}{named[2] or ''}.pt") for part in ("encoder", "decoder")]
    missing = [file.name for file in pair if not file.is_file()]
    if missing:
        raise WrongVariantError(
            f"Weights '{path}' are one half of the detector: expected {pair[0].name} and "
            f"{pair[1].name} in one folder, missing {missing[0]}. Put it beside the other one."
        )
    digests = [file_sha256(file) for file in pair]
    known = [_ENCODER_SHA256, _DECODER_SHA256]
    if digests[0] == known[0] and digests != known:
        raise WrongVariantError(
            f"Weights '{pair[1]}' do not belong to '{pair[0]}': sha256 is {digests[1][:8]}…, "
            f"expected {known[1][:8]}…. Give the two files that were published together."
        )
    encoder, decoder = map(read_tensors, pair)
    return {f"net.{key}": value for key, value in (encoder | decoder).items()}


CARD = Card(
    name="multi_task",
    summary="Autoencoder whose latent halves tell real from fake, with a mask (ClassNSeg).",
    paper=Paper(
        title="Multi-task Learning for Detecting and Segmenting Manipulated Facial Images and "
        "Videos",
        authors="Huy H. Nguyen, Fuming Fang, Junichi Yamagishi, Isao Echizen",
        venue="BTAS",
        year=2019,
        url="https://arxiv.org/abs/1906.06876",
        code="https://github.com/nii-yamagishilab/ClassNSeg",
        differences=(
            "Polarity: the published class 1 is original, 0 altered; the logit here is the first "
            "half's activation minus the second's, above 0 for fake. The first half answers to "
            "fake faces, as published.",
            "Mask: the difference of the segmenter's two maps, whose sigmoid is the published "
            "probability of an altered pixel.",
            *DIFFERENCES,
        ),
    ),
    compared_in=("LipForensics", "Two-branch", "EMD"),
    fixtures=("classnseg.json",),
    verified="fixture and published file available",
    input=INPUT,
    recipe=RECIPE,
    weights=(
        Weights(
            tag="full",
            sha256=_ENCODER_SHA256,
            license="BSD-3-Clause",
            trained_on="FaceForensics (Face2Face), full training set: encoder_46.pt, with "
            "decoder_46.pt in the same folder",
            polarity="published class 1 is original; inverted here",
            importer=_from_published,
        ),
    ),
    outputs=("mask", "embedding"),
    cam_layer="net.encoder.26",
    aggregate="mean",
)


@detector(CARD)
class MultiTask(nn.Module):
    """Encoder, and decoders of the mask and of the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.net = SegmentingAutoencoder()

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 256, 256), ImageNet-normalized; mask (B, 1, 256, 256).

        The embedding is (B, 128).
        """
        return output_of(self.net.encode(clips.squeeze(2)), self.net)

    def training_loss(self, clips: Tensor, target: Target) -> Tensor:
        """Activations, mask and picture (the authors' three losses), a scalar.

        Args:
            clips: (B, 3, 1, H, W), normalized.
            target: with ``mask``.
        """
        pictures = clips.squeeze(2)
        return joint_loss(self.net.encode(pictures), self.net, pictures, target)
