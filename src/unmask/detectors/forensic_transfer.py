"""ForensicTransfer: an autoencoder of residuals, whose latent halves tell real from fake.

What it needs to draw a picture again shall stay apart for the two classes, so that a few
pictures of a new kind of forgery are enough to learn it too (Cozzolino et al. 2018; the row
"FT-res" of EMD). No code is public: what is our choice is listed in the card.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.card import Card, Output, Paper, Target
from unmask.detectors.registry import detector
from unmask.detectors.shared.split_autoencoder import DIFFERENCES, INPUT, recipe_with
from unmask.losses.split_latent import activation_loss
from unmask.nn.derivative_residual import ThirdDerivative
from unmask.nn.split_autoencoder import SplitAutoencoder
from unmask.nn.split_latent import half_activations, keep_half

_PICTURE_WEIGHT = 0.1


def _validation_loss(output: Output, target: Target) -> Tensor:
    """The loss of the activations, which alone decide."""
    assert output.embedding is not None
    return activation_loss(*half_activations(output.embedding), target.label)


CARD = Card(
    name="forensic_transfer",
    summary="Autoencoder of high-pass residuals; its latent halves tell real from fake.",
    paper=Paper(
        title="ForensicTransfer: Weakly-supervised Domain Adaptation for Forgery Detection",
        authors="Davide Cozzolino, Justus Thies, Andreas Rössler, Christian Riess, "
        "Matthias Nießner, Luisa Verdoliva",
        venue="arXiv",
        year=2018,
        url="https://arxiv.org/abs/1812.02510",
        differences=(
            "Code: none is public; not verified against the authors' code. Their paper was not at "
            "hand either: what follows is known from the literature about it.",
            "Network: 3x3 convolutions of 32, 64, 64, 128 and 128 maps, all but the first of "
            "stride 2, with ReLU and without norms, mirrored by enlarging to the nearest value; "
            "one of three versions that others published, the one with the paper's latent size.",
            "Input: third derivatives of each color along rows and along columns, six maps of the "
            "picture in -1..1; --set residual=false takes the picture itself.",
            "Reconstruction: of what the encoder sees, not of the picture behind it, by the mean "
            "absolute difference with weight 0.1. Residuals beyond -1..1 count as -1 or 1, which "
            "is what the last tanh can reach.",
            "Halves: the first 64 maps answer to fake pictures, the last 64 to real ones.",
            "Score: the fake half's activation minus the real half's; the larger one decides.",
            "Transfer to a new kind of forgery: a second training that starts from the first "
            "one's weights, on the few pictures that there are (train --weights).",
            "Validation loss: of the activations alone.",
            *DIFFERENCES,
        ),
    ),
    compared_in=("EMD",),
    verified="not verified against the authors' code: none is public",
    input=INPUT,
    recipe=recipe_with(_validation_loss, needs_masks=False),
    outputs=("embedding",),
    cam_layer="net.encoder.4",
    aggregate="mean",
    args={"residual": True, "picture_weight": _PICTURE_WEIGHT},
)


@detector(CARD)
class ForensicTransfer(nn.Module):
    """Fixed high-pass filters and the autoencoder of what they leave.

    Args:
        residual: whether the encoder sees third derivatives instead of the picture.
        picture_weight: of the reconstruction in the loss.
    """

    def __init__(self, residual: bool = True, picture_weight: float = _PICTURE_WEIGHT) -> None:
        super().__init__()
        self._picture_weight = picture_weight
        self.residual = ThirdDerivative() if residual else nn.Identity()
        self.net = SplitAutoencoder(channels=6 if residual else 3)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 256, 256) in -1..1; the embedding is (B, 128)."""
        latent = self.net.encode(self.residual(clips.squeeze(2)))
        forged, real = half_activations(latent)
        return Output(logit=forged - real, embedding=latent.mean(dim=(2, 3)))

    def training_loss(self, clips: Tensor, target: Target) -> Tensor:
        """Activations, and what is drawn again out of the true class's half; a scalar.

        Args:
            clips: (B, 3, 1, H, W) in -1..1.
            target: its labels are used alone.
        """
        seen = self.residual(clips.squeeze(2))
        latent = self.net.encode(seen)
        drawn = self.net.decode(keep_half(latent, target.label > 0.5))
        again = functional.l1_loss(drawn.float(), seen.float().clamp(-1, 1))
        loss = activation_loss(*half_activations(latent.float()), target.label)
        return loss + self._picture_weight * again
