"""What the multi-task detectors share: class, mask and picture out of one split latent space."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from unmask.detectors.card import Output, Target
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.losses import segmentation_loss
from unmask.losses.split_latent import activation_loss
from unmask.nn.segmenting_autoencoder import SegmentingAutoencoder
from unmask.nn.split_latent import half_activations, keep_half
from unmask.types import InputSpec

INPUT = InputSpec(
    region="face",
    margin=1.3,
    size=(256, 256),
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    frames=1,
    fps=3.0,
)

_MASK_THRESHOLD = 0.5


def output_of(latent: Tensor, net: SegmentingAutoencoder) -> Output:
    """The stronger half decides, and goes on to the decoder of the mask."""
    forged, real = half_activations(latent)
    mask, _ = net.decode(keep_half(latent, forged > real))
    # A softmax over the two activations, as published, is the sigmoid of their difference.
    return Output(logit=forged - real, mask=mask, embedding=latent.mean(dim=(2, 3)))


def joint_loss(
    latent: Tensor, net: SegmentingAutoencoder, pictures: Tensor, target: Target
) -> Tensor:
    """Activations, mask and picture, each with weight 1; the true half goes on to the decoders."""
    mask, picture = net.decode(keep_half(latent, target.label > 0.5))
    loss = activation_loss(*half_activations(latent.float()), target.label)
    return loss + _mask_loss(mask, target) + functional.mse_loss(picture.float(), pictures)


def validation_loss(output: Output, target: Target) -> Tensor:
    """Activations and mask, the latter by the half that the network itself chose."""
    assert output.mask is not None and output.embedding is not None
    loss = activation_loss(*half_activations(output.embedding), target.label)
    return loss + _mask_loss(output.mask, target)


def _mask_loss(mask: Tensor, target: Target) -> Tensor:
    """Cross entropy over the softmax of a softmax, which the authors' code takes for the mask.

    Of two classes the outer logits differ by 2 sigmoid(m) - 1 = tanh(m / 2).
    """
    assert target.mask is not None  # The recipe needs masks.
    softened = (mask.float() / 2).tanh()
    return segmentation_loss(softened, target.mask, threshold=_MASK_THRESHOLD)


RECIPE = Recipe(
    loss=validation_loss,
    optimizer=Optimizer(kind="adam", learning_rate=1e-3, eps=1e-7, weight_decay=5e-4),
    schedule=Schedule(epochs=100, patience=100, monitor="accuracy"),
    sampling=Sampling(batch_size=64, needs_masks=True),
)

DIFFERENCES = (
    "Crop: 1.3 x the longest side of the CenterFace box; the authors take 1.3 x the height of the "
    "true mask, which a scan does not have.",
    "Masks: fake where the true mask exceeds half of full scale, the authors' threshold for "
    "what they predict; they binarize the true ones without saying where.",
    "Frames: three a second; the video's logit is the mean of the frames'. The authors take a "
    "number of frames of each video and judge each by itself.",
    "Weight decay: on weights only, not on biases and norms.",
    "Best epoch: by validation accuracy; the authors keep every epoch and give number 46 out "
    "without saying why. Validation loss: activations and mask, without the picture.",
    "Augmentation: none, as in the authors' code. Both classes are drawn equally often.",
    "Embedding: the mean of each of the 128 latent maps; the authors have none.",
)
