"""ip-CSN-152: a deep video network whose convolutions look along channels or along space-time.

Video Classification with Channel-Separated Convolutional Networks (Tran et al., ICCV 2019), as a
detector after LipForensics' table 6 (Haliassos et al., CVPR 2021), which asks whether pretraining
on actions serves as well as lip reading. What differs is listed in the card.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Ablation, Card, Output, Paper, Weights
from unmask.detectors.registry import detector
from unmask.detectors.shared.whole_face import RECIPE, TRAINING_DIFFERENCES, UNDECIDED
from unmask.nn.csn import FEATURES, ip_csn_152
from unmask.nn.heads import reset_head, under_net
from unmask.types import InputSpec

_CLASSES = (400, 359, 487)
"""Of the heads that are replaced: Kinetics-400, IG-65M, Sports-1M."""

_LICENSE = "VMZ: Apache-2.0; weights not stated apart"


def _from_vmz(path: Path) -> dict[str, Tensor]:
    """A state dict of VMZ's ``ip_csn_152``; a head of actions is replaced by zeros."""
    state = read_tensors(path)
    for classes in _CLASSES:
        reset_head(state, "fc", classes, 1)
    return under_net(state, "fc")


CARD = Card(
    name="ip_csn_152",
    summary="Channel-separated video network of 152 layers over 25 frames of a face, 1 second.",
    paper=Paper(
        title="Video Classification with Channel-Separated Convolutional Networks",
        authors="Du Tran, Heng Wang, Lorenzo Torresani, Matt Feiszli",
        venue="ICCV",
        year=2019,
        url="https://arxiv.org/abs/1904.02811",
        code="https://github.com/facebookresearch/VMZ",
        differences=(
            "Purpose: the network tells actions apart; it is a detector in table 6 of "
            'LipForensics (Haliassos et al., CVPR 2021: below "the paper"), whose authors publish '
            "no code for it: not verified against the authors' code. Its parameters are as many "
            "as that table counts, 32.2 M, and the names and sizes of its tensors are those of "
            "VMZ; no numbers of VMZ's were available to compare with.",
            "Input: 25 frames of a face, 25 a second, as for LipForensics' mouths, at 224 px with "
            "1.3 x the longest side of the CenterFace box; the paper does not say what this "
            "network sees. VMZ trains on 32 frames. Mean and std of Kinetics, as in torchvision.",
            "Norms: eps 1e-3, as in VMZ; momentum 0.1, which is Caffe2's 0.9 in torch's terms "
            "(VMZ's PyTorch code writes 0.9).",
            *TRAINING_DIFFERENCES,
            "Start: at random, unless a file of VMZ's PyTorch code is imported; its head is "
            "replaced by zeros. Caffe2's .pkl files must be converted by VMZ's convert_models.py "
            "before; it is they that hold the network trained on Kinetics alone. MMAction2's "
            "files have no norm between the two convolutions and are refused.",
            "Embedding: the 2048 numbers before the last layer.",
        ),
    ),
    compared_in=("LipForensics",),
    verified="layout only: that of VMZ's files; as many parameters as in table 6 of LipForensics; "
    "no published file available",
    input=InputSpec(
        region="face",
        margin=1.3,
        size=(224, 224),
        mean=(0.43216, 0.394666, 0.37645),
        std=(0.22803, 0.22145, 0.216989),
        frames=25,
        fps=25.0,
        hop=25,
    ),
    recipe=RECIPE,
    weights=(
        Weights(
            tag="kinetics",
            license=_LICENSE,
            trained_on="Kinetics-400 (VMZ's ipCSN_152_kinetics_from_scratch_f129594342.pkl, "
            "converted by its convert_models.py): a start for training, not a detector",
            polarity=UNDECIDED,
            importer=_from_vmz,
        ),
        Weights(
            tag="ig65m",
            license=_LICENSE,
            trained_on="IG-65M (ipCSN_152_ig65m_from_scratch_f130601052.pth of "
            "bjuncek/VMZ): a start for training, not a detector",
            polarity=UNDECIDED,
            importer=_from_vmz,
        ),
    ),
    outputs=("embedding",),
    cam_layer="net.layer4",
    aggregate="mean",
    starts_from="kinetics",
    ablations=(
        Ablation(row="scratch", tables=("lipforensics/table6",), starts_from=""),
        Ablation(row="ig65m", tables=("lipforensics/table6",), starts_from="ig65m"),
        Ablation(row="full", tables=("lipforensics/table6",)),
    ),
)


@detector(CARD)
class IpCSN152(nn.Module):
    """ip-CSN-152, the average over time and space, and one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.net = ip_csn_152()
        self.head = nn.Linear(FEATURES, 1)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, T, H, W), normalized as for Kinetics; the embedding is (B, 2048)."""
        embedding = self.net(clips)
        return Output(logit=self.head(embedding).squeeze(1), embedding=embedding)
