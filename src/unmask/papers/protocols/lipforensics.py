"""Lips Don't Lie (Haliassos et al., CVPR 2021): values in percent, of videos."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from unmask.corruptions import SEVERITIES
from unmask.papers.protocol import (
    DF,
    F2F,
    FF,
    FOUR,
    FS,
    FSHI,
    NT,
    Cell,
    Change,
    Protocol,
    elsewhere,
    left_out,
    per_level,
    published_rows,
)

_CORRUPTIONS: Final = {
    "sat": "saturation",
    "con": "contrast",
    "block": "block",
    "noise": "noise",
    "blur": "blur",
    "pixel": "pixelation",
    "compress": "compression",
}
"""The seven of table 3, by their headings. ``unmask.corruptions`` may have more."""

_LENGTHS: Final = (5, 10, 15, 20, 25, 30)

_CORRUPTED = {
    severity: tuple(
        Cell(
            column=column,
            metric="AUC",
            methods=FOUR,
            compression="raw",
            condition=f"{kind} {severity}",
        )
        for column, kind in _CORRUPTIONS.items()
    )
    for severity in SEVERITIES
}

_UNSEEN: Final = "no test corruption is seen in training (section 4.3)"
_CLEAN_TRAINING: Final = (
    *(
        Change(detector, ("augment=flip",), _UNSEEN)
        for detector in ("xception", "cnn_gru", "face_xray")
    ),
    Change(
        "cnn_aug",
        ("augment=crop_and_flip",),
        f"{_UNSEEN}; the paper keeps JPEG and takes a median blur, which unmask does not have",
    ),
)
"""Baselines whose recipes train with JPEG, noise, blur or the like."""

_SEEDS = "Corruptions are drawn here, each video with a seed of its own; the paper gives none."


def _unseen(metric: str) -> tuple[Cell, ...]:
    """Swaps of two kinds that FaceForensics++'s four methods do not have."""
    return (
        elsewhere("FSh", FF, metric, (FSHI,), "c23"),
        # By FaceForensics++'s split: the data set's own test list holds videos trained on.
        elsewhere("DFo", "deeper_forensics_ff", metric, ("end_to_end",)),
    )


def _diversity() -> tuple[Cell, ...]:
    """FaceSwap, tested after training on one method, two …

    The text names FaceSwap, the unseen method, among the added ones; it must be Face2Face.
    """
    added = (DF, NT, F2F, FSHI)
    cells = [
        Cell(
            column=f"{count} methods" if count > 1 else "1 method",
            metric="AUC",
            methods=(FS,),
            compression="c23",
            train=added[:count],
            variant=f"{count}-methods",
            at=count,
        )
        for count in range(1, 5)
    ]
    last = replace(
        cells[-1], column="5 methods", variant="5-methods", at=5, also=("deeper_forensics_ff",)
    )
    return (*cells, last)


PROTOCOLS: Final = (
    Protocol(
        name="lipforensics/table1",
        detectors=("lipforensics",),
        frames=110,
        kind="leave one method out",
        title="trained on FF++ c23 without one method, tested on it; video AUC",
        cells=left_out((DF, FS, F2F, NT), FOUR, "AUC"),
        average="avg",
        published=published_rows("""
            Xception: 93.9 51.2 86.8 79.7 77.9
            CNN-aug: 87.5 56.3 80.1 67.8 72.9
            Patch: 94.0 60.5 87.3 84.8 81.7
            Face X-ray: 99.5 93.2 94.5 92.5 94.9
            CNN-GRU: 97.6 47.6 85.8 86.6 79.4
            Scratch: 93.0 56.7 98.8 98.3 86.7
            Ft whole: 98.4 80.4 99.4 99.3 94.4
            LipForensics: 99.7 90.1 99.7 99.1 97.1"""),
    ),
    Protocol(
        name="lipforensics/table2",
        detectors=("lipforensics",),
        frames=110,
        kind="cross-dataset",
        title="trained on FF++ c23, tested on other data sets; video AUC",
        train_compression="c23",
        cells=(
            elsewhere("CDF", "celeb_df"),
            elsewhere("DFDC", "dfdc"),
            *_unseen("AUC"),
        ),
        average="avg",
        published=published_rows("""
            Xception: 73.7 70.9 72.0 84.5 75.3
            CNN-aug: 75.6 72.1 65.7 74.4 72.0
            Patch: 69.6 65.6 57.8 81.8 68.7
            Face X-ray: 79.5 65.5 92.8 86.8 81.2
            CNN-GRU: 69.8 68.9 80.8 74.1 73.4
            Multi-task: 75.7 68.1 66.0 77.7 71.9
            DSP-FWA: 69.5 67.3 65.5 50.2 63.1
            Two-branch: 76.7 - - - -
            Scratch: 62.5 65.5 84.7 84.8 74.4
            Ft whole: 70.7 70.9 93.9 95.7 82.8
            LipForensics: 82.4 73.5 97.1 97.6 87.7"""),
    ),
    Protocol(
        name="lipforensics/table3",
        detectors=("lipforensics",),
        frames=110,
        changes=_CLEAN_TRAINING,
        kind="robustness",
        title="trained on FF++ raw, tested on corrupted copies; mean video AUC of 5 severities",
        train_compression="raw",
        cells=(
            Cell(column="clean", metric="AUC", methods=FOUR, compression="raw", is_averaged=False),
            *(cell for cells in _CORRUPTED.values() for cell in cells),
        ),
        average="avg",
        published=published_rows("""
            Xception: 99.8 99.3 98.6 99.7 53.8 60.2 74.2 62.1 78.3
            CNN-aug: 99.8 99.3 99.1 95.2 54.7 76.5 91.2 72.5 84.1
            Patch: 99.9 84.3 74.2 99.2 50.0 54.4 56.7 53.4 67.5
            Face X-ray: 99.8 97.6 88.5 99.1 49.8 63.8 88.6 55.2 77.5
            CNN-GRU: 99.9 99.0 98.8 97.9 47.9 71.5 86.5 74.5 82.3
            LipForensics: 99.9 99.9 99.6 87.4 73.8 96.1 95.6 95.6 92.5"""),
        notes=(_SEEDS,),
    ),
    Protocol(
        name="lipforensics/table4",
        detectors=("lipforensics",),
        frames=110,
        kind="in-distribution",
        title="trained and tested on FF++, each compression separately; accuracy and AUC of videos",
        cells=per_level(("accuracy", "AUC"), FOUR, ("raw", "c23", "c40")),
        published=published_rows("""
            Xception: 99.0 99.8 97.0 99.3 89.0 92.0
            CNN-aug: 98.7 99.8 96.9 99.1 81.9 86.9
            Patch: 99.3 99.9 92.6 97.2 79.1 78.3
            Two-branch: - - - 99.1 - 91.1
            Face X-ray: 99.1 99.8 78.4 97.8 34.2 77.3
            CNN-GRU: 98.6 99.9 97.0 99.3 90.1 92.2
            LipForensics: 98.9 99.9 98.8 99.7 94.2 98.1"""),
    ),
    Protocol(
        name="lipforensics/table5",
        detectors=("lipforensics", "resnet18_lipreading", "resnet3d_lipreading"),
        frames=110,
        kind="ablation",
        title="parts of the network; trained on FF++ c23; accuracy of videos",
        train_compression="c23",
        cells=_unseen("accuracy"),
        published=published_rows("""
            ResNet-18: 59.3 75.7
            ResNet-3D/2D: 67.1 74.6
            ResNet-3D/2D+MS-TCN: 83.2 84.6
            ResNet-3D/2D+MS-TCN (ours): 87.5 90.4"""),
    ),
    Protocol(
        name="lipforensics/table6",
        detectors=("lipforensics", "r2plus1d18", "ip_csn_152", "se_resnet50"),
        frames=110,
        changes=(
            Change(
                "r2plus1d18",
                (
                    *("temporal_downsampling=true", "augment=flip"),
                    *("input.frames=25", "input.fps=25.0", "input.hop=25"),
                ),
                "all rows see clips of 25 frames; the published network strides in time",
            ),
        ),
        kind="ablation",
        title="other pretraining; trained on FF++ c23; accuracy of videos",
        train_compression="c23",
        cells=_unseen("accuracy"),
        published=published_rows("""
            R(2+1)D-18 (31.3M), none: 63.6 65.4
            R(2+1)D-18 (31.3M), Kinetics: 65.7 68.2
            ip-CSN-152 (32.2M), none: 68.2 65.7
            ip-CSN-152 (32.2M), Kinetics: 73.9 76.4
            ip-CSN-152 (32.2M), IG-65M: 66.1 69.6
            SE-ResNet50 (43.8M), none: 60.0 70.7
            SE-ResNet50 (43.8M), FR: 64.3 68.9
            ResNet+MS-TCN (36.0M), none: 62.5 61.4
            ResNet+MS-TCN (36.0M), LRW: 83.2 84.6
            ResNet+MS-TCN* (ours) (24.8M), LRW: 87.5 90.4"""),
    ),
    Protocol(
        name="lipforensics/figure4",
        detectors=("lipforensics",),
        frames=110,
        changes=_CLEAN_TRAINING,
        kind="robustness",
        title="trained on FF++ raw, tested on corrupted copies; video AUC by severity",
        train_compression="raw",
        cells=tuple(
            replace(cell, column=f"{curve} {severity}", at=severity, curve=curve)
            for is_average in (False, True)
            for severity, cells in _CORRUPTED.items()
            for cell in cells
            for curve in ["avg" if is_average else cell.column]
        ),
        axis="severity",
        notes=(_SEEDS, "The paper draws these values and does not print them."),
    ),
    Protocol(
        name="lipforensics/figure5-left",
        detectors=("lipforensics",),
        frames=110,
        kind="forgery diversity",
        title="trained on FF++ c23, methods added one by one, tested on FaceSwap; video AUC",
        train_compression="c23",
        cells=_diversity(),
        axis="forgery methods in the training",
        published=published_rows("LipForensics: - - - - 95.1"),
    ),
    Protocol(
        name="lipforensics/figure5-right",
        detectors=("lipforensics",),
        frames=110,
        kind="clip length",
        title="trained on FF++ c23 with clips of 5 to 30 frames; video AUC",
        train_compression="c23",
        cells=tuple(
            replace(
                cell,
                column=f"{cell.column} {frames}",
                variant=f"{frames}-frames",
                settings=(f"input.frames={frames}", f"input.hop={frames}"),
                at=frames,
                curve=cell.column,
            )
            for cell in _unseen("AUC")
            for frames in _LENGTHS
        ),
        axis="frames of a clip",
        notes=("The paper draws these values and does not print them.",),
    ),
    Protocol(
        name="lipforensics/figure6",
        detectors=("lipforensics",),
        frames=110,
        kind="occlusion sensitivity",
        title="trained on FF++ c23; where a gray square or cuboid changes the score",
        train_compression="c23",
        elsewhere="unmask explain VIDEO -d NAME -w NAME=FILE --method occlusion -o DIR",
    ),
)
