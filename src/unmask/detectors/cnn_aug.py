"""ResNet-50 trained with blur and JPEG as augmentation, so that it does not lean on fine traces.

CNN-Generated Images Are Surprisingly Easy to Spot... for Now (Wang et al., CVPR 2020), as the
face detector that Haliassos et al. 2021 compare with. What differs is listed in the card.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors, rows_of
from unmask.detectors.card import Card, Output, Paper, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.losses import binary_loss
from unmask.nn.heads import add_batch_counters, reset_head, under_net
from unmask.nn.resnet import FEATURES, IMAGENET_CLASSES, resnet50
from unmask.types import InputSpec


def _loss(output: Output, target: Target) -> Tensor:
    return binary_loss(output.logit, target.label)


def _from_published(path: Path) -> dict[str, Tensor]:
    """The authors' files (entry ``model``) or torchvision's ImageNet file."""
    state = read_tensors(path)
    reset_head(state, "fc", IMAGENET_CLASSES, 1)
    add_batch_counters(state)
    return under_net(state, "fc")


CARD = Card(
    name="cnn_aug",
    summary="ResNet-50 on single face crops, blurred and JPEG coded at random in training.",
    paper=Paper(
        title="CNN-Generated Images Are Surprisingly Easy to Spot... for Now",
        authors="Sheng-Yu Wang, Oliver Wang, Richard Zhang, Andrew Owens, Alexei A. Efros",
        venue="CVPR",
        year=2020,
        url="https://arxiv.org/abs/1912.11035",
        code="https://github.com/PeterWang512/CNNDetection",
        differences=(
            "Task: faces of videos, as Haliassos et al. (LipForensics, CVPR 2021) train it as a "
            "baseline; the authors train on whole pictures of one generator (ProGAN).",
            "Augmentation: blur and JPEG with a probability of 0.1 each, as Haliassos et al. say; "
            "the authors also have 0.5 (--set augment=blur_and_jpeg_half). Blur and JPEG come "
            "before the face is cut and resized to 256; the authors' come after the resize.",
            "JPEG: by OpenCV alone, chroma subsampled; the authors draw OpenCV or PIL.",
            "Crop: 1.3 x the longest side of the CenterFace box, resized to 256, 224 of it at "
            "random in training and the middle at test time. Haliassos et al. give no crop; the "
            "authors test without resizing.",
            "Robustness tests: Haliassos et al. replace blur by median blur there; not done here.",
            "Schedule: rate x 0.1 after 5 epochs without a lower validation loss, down to 1e-6; "
            "the authors look at validation accuracy.",
            "Start: at random, unless an imported ImageNet file is given, as in the paper. Its "
            "head is replaced by zeros; the authors draw it from N(0, 0.02), as a new network "
            "has it here.",
            "Frames: three a second; the video's logit is the mean of the frames'. Of the "
            "frames in training nothing is said.",
            "Embedding: the 2048 numbers before the last layer; the authors have none.",
        ),
    ),
    compared_in=("LipForensics",),
    verified="layout only: torchvision's ResNet-50; no published file available",
    input=InputSpec(
        region="face",
        margin=1.3,
        size=(224, 224),
        load_size=(256, 256),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        frames=1,
        fps=3.0,
    ),
    recipe=Recipe(
        loss=_loss,
        optimizer=Optimizer(kind="adam", learning_rate=1e-4),
        schedule=Schedule(
            # The schedule ends training: 1e-4, 1e-5, 1e-6.
            epochs=200,
            patience=200,
            kind="plateau",
            wait_epochs=5,
            times=2,
            monitor="accuracy",
        ),
        sampling=Sampling(batch_size=64, augment="blur_and_jpeg"),
    ),
    weights=(
        Weights(
            tag="progan",
            license="CC BY-NC-SA 4.0 (non-commercial)",
            trained_on="whole pictures: LSUN and ProGAN's (the authors' blur_jpg_prob0.1.pth or "
            "blur_jpg_prob0.5.pth); ImageNet normalization, no resize, 224 of the middle or all",
            polarity="one logit, above 0 means generated, as here",
            importer=_from_published,
            is_non_commercial=True,
            licensor="the authors of PeterWang512/CNNDetection",
            recognizes=lambda path: IMAGENET_CLASSES not in rows_of(path, "fc"),
        ),
        Weights(
            tag="imagenet",
            license="BSD-3-Clause",
            trained_on="ImageNet (torchvision's resnet50-0676ba61.pth): a start for training, "
            "not a detector",
            polarity="none: the head is replaced by zeros, so every logit is 0 until trained",
            importer=_from_published,
        ),
    ),
    outputs=("embedding",),
    cam_layer="net.layer4",
    aggregate="mean",
    starts_from="imagenet",
)


@detector(CARD)
class CnnAug(nn.Module):
    """Torchvision's ResNet-50, global average, and one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.net = resnet50()
        self.head = nn.Linear(FEATURES, 1)
        nn.init.normal_(self.head.weight, std=0.02)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W), normalized as for ImageNet; the embedding is (B, 2048)."""
        embedding = self.net(clips.squeeze(2)).mean(dim=(2, 3))
        return Output(logit=self.head(embedding).squeeze(1), embedding=embedding)
