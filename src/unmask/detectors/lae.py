"""LAE: an autoencoder that must look where the forgery is (locality-aware).

Its latent halves tell real from fake as in ForensicTransfer, and true masks say where the
forged half may be active, so that it cannot learn what merely goes along with a forgery (Du et
al., CIKM 2020). No code is public: what is our choice is listed in the card.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.card import Card, Output, Paper, Target
from unmask.detectors.registry import detector
from unmask.detectors.shared.split_autoencoder import DIFFERENCES, INPUT, recipe_with
from unmask.losses.split_latent import activation_loss, locality_loss
from unmask.nn.split_autoencoder import SplitAutoencoder
from unmask.nn.split_latent import half_activations, keep_half

_LOCALITY_WEIGHT = 1.0
_PICTURE_WEIGHT = 1.0
_UNDECIDED = 0.5


def _validation_loss(output: Output, target: Target) -> Tensor:
    """Activations and their places; the picture is left out."""
    assert output.mask is not None and output.embedding is not None and target.mask is not None
    loss = activation_loss(*half_activations(output.embedding), target.label)
    return loss + _LOCALITY_WEIGHT * locality_loss(output.mask + _UNDECIDED, target.mask)


CARD = Card(
    name="lae",
    summary="Autoencoder whose fake half may be active only where the manipulation is.",
    paper=Paper(
        title="Towards Generalizable Deepfake Detection with Locality-aware AutoEncoder",
        authors="Mengnan Du, Shiva Pentyala, Yuening Li, Xia Hu",
        venue="CIKM",
        year=2020,
        url="https://arxiv.org/abs/1909.05999",
        differences=(
            "Code: none is public; not verified against the authors' code. Their paper was not at "
            "hand, its abstract alone: latent halves, pixel-wise masks that regularize the local "
            "interpretation, active learning. All else is our choice.",
            "Network: the autoencoder of our ForensicTransfer on the picture itself (32, 64, 64, "
            "128 and 128 maps), with batch norm.",
            "Local interpretation: the mean of the fake half's maps at each of the 16 x 16 "
            "places. It explains the score exactly, whose fake part is its mean.",
            "Mask loss: the map times the fake share of the picture shall be the true mask, "
            "whose mean over each place is taken; squared, mean over places. The share makes it "
            "agree with the fake half's mean of 1. Real pictures: the map shall be 0.",
            "Mask of a scan: the map minus one half, above 0 = fake.",
            "Reconstruction: the mean absolute difference of the picture. Parts that look at "
            "features or at an adversary are left out.",
            "Weights: 1 for activations, masks and reconstruction.",
            "Active learning: left out; every forgery's mask is used. The authors ask people for "
            "masks of less than 3 % of the pictures, those that the network is unsure of.",
            *DIFFERENCES,
        ),
    ),
    compared_in=("EMD",),
    verified="not verified against the authors' code: none is public",
    input=INPUT,
    recipe=recipe_with(_validation_loss, needs_masks=True),
    outputs=("mask", "embedding"),
    cam_layer="net.encoder.4",
    aggregate="mean",
    args={"locality_weight": _LOCALITY_WEIGHT, "picture_weight": _PICTURE_WEIGHT},
)


@detector(CARD)
class Lae(nn.Module):
    """The autoencoder, and the map of where its fake half is active.

    Args:
        locality_weight: of the masks in the loss; 0 leaves an ordinary split autoencoder.
        picture_weight: of the reconstruction.
    """

    def __init__(
        self, locality_weight: float = _LOCALITY_WEIGHT, picture_weight: float = _PICTURE_WEIGHT
    ) -> None:
        super().__init__()
        self._locality_weight = locality_weight
        self._picture_weight = picture_weight
        self.net = SplitAutoencoder(has_norm=True)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 256, 256) in -1..1; mask (B, 1, 16, 16), embedding (B, 128)."""
        latent = self.net.encode(clips.squeeze(2))
        forged, real = half_activations(latent)
        mask = _forged_map(latent) - _UNDECIDED
        return Output(logit=forged - real, mask=mask, embedding=latent.mean(dim=(2, 3)))

    def training_loss(self, clips: Tensor, target: Target) -> Tensor:
        """Activations, their places, and the picture drawn out of the true class's half.

        Args:
            clips: (B, 3, 1, H, W) in -1..1.
            target: with ``mask``.

        Returns:
            A scalar.
        """
        assert target.mask is not None  # The recipe needs masks.
        pictures = clips.squeeze(2)
        latent = self.net.encode(pictures)
        drawn = self.net.decode(keep_half(latent, target.label > 0.5))
        latent = latent.float()
        loss = activation_loss(*half_activations(latent), target.label)
        loss = loss + self._locality_weight * locality_loss(_forged_map(latent), target.mask)
        return loss + self._picture_weight * functional.l1_loss(drawn.float(), pictures.float())


def _forged_map(latent: Tensor) -> Tensor:
    """How active the fake half is at each place: (B, 128, h, w) to (B, 1, h, w)."""
    return latent[:, : latent.shape[1] // 2].mean(dim=1, keepdim=True)
