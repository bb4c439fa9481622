"""Detection and Localization of Facial Expression Manipulations (Mazaheri and Roy-Chowdhury,
WACV 2022): values in percent. One network per method and compression; values of the paper are of
single pictures, ours of videos.
"""

from __future__ import annotations

from typing import Final

from unmask.papers.protocol import DF, F2F, NT, Cell, Protocol, per_method, published_rows

_SIZES: Final = (10, 50, 100, 200, 300, 700)
"""Of figure 6, which names the ends and 300; those between are ours."""

_OF_VIDEOS = "Accuracies are of videos here, of single pictures in the paper."


def _detection_and_segmentation(method: str) -> tuple[Cell, ...]:
    """Of figures 4 and 5, which do not name the level; c23 is that of the ablation."""
    return tuple(
        Cell(column=column, metric=metric, methods=(method,), compression="c23")
        for column, metric in (("detection", "AUC"), ("segmentation", "pixel AUC"))
    )


PROTOCOLS: Final = (
    Protocol(
        name="emd/table2",
        detectors=("emd",),
        kind="in-distribution",
        title="trained and tested on FF++, each method and compression separately; accuracy",
        train_methods=(DF, F2F, NT),
        cells=per_method(("accuracy",), (DF, F2F, NT), ("c23", "c40")),
        published=published_rows("""
            Steg. features + SVM: 77.12 74.68 76.94 65.58 60.58 60.69
            Cozzolino et al.: 81.78 85.32 80.60 68.26 62.08 62.42
            Bayar and Stamm: 90.18 94.93 86.04 80.95 76.83 72.38
            Rahmouni et al.: 82.16 93.48 75.18 73.25 67.08 62.59
            MesoNet: 95.26 95.84 85.95 89.52 83.56 75.74
            MultiTask: 93.92 92.77 88.05 85.77 82.31 80.67
            XceptionNet: 98.85 98.23 94.50 94.28 91.56 82.11
            MultiTask + EnsFER: 94.10 95.22 89.15 86.31 85.89 81.46
            EMD: 99.13 99.03 96.31 95.88 94.45 83.67"""),
        notes=(_OF_VIDEOS,),
    ),
    Protocol(
        name="emd/table3",
        detectors=("emd",),
        kind="in-distribution",
        title="trained and tested on FF++ Face2Face, each compression separately; accuracy",
        train_methods=(F2F,),
        cells=per_method(("accuracy",), (F2F,), ("c23", "c40")),
        published=published_rows("""
            LAE: 90.93 -
            DCNN: 93.50 82.13
            FT-res: 94.47 -
            Two-stream: 96.00 86.83
            Capsule-Forensics: 97.13 81.20
            Face X-ray: 97.73 -
            MultiTask + EnsFER: 95.22 85.89
            EMD: 99.03 94.45"""),
        notes=(_OF_VIDEOS,),
    ),
    Protocol(
        name="emd/table4",
        detectors=("emd",),
        kind="localization",
        title="trained and tested on FF++, each method and compression separately; pixel accuracy",
        train_methods=(F2F, NT),
        cells=per_method(("PBCA",), (F2F, NT), ("c23", "c40")),
        published=published_rows("""
            MultiTask: 90.27 88.67 87.76 84.55
            XceptionNet: 96.13 91.34 92.45 89.39
            MultiTask + EnsFER: 93.22 90.56 89.31 86.56
            EMD: 98.43 93.78 95.22 91.54"""),
    ),
    Protocol(
        name="emd/table5",
        detectors=("emd", "multi_task_fer"),
        kind="ablation",
        title="kinds of the expression stream; trained and tested on FF++ c23 by method; accuracy",
        train_methods=(F2F, NT),
        cells=per_method(("accuracy", "PBCA"), (F2F, NT), ("c23",)),
        published=published_rows("""
            MultiTask + SimFER: 94.93 91.84 88.62 89.21
            XceptionNet + SimFER: 98.63 96.89 95.83 92.44
            MultiTask + EnsFER: 95.22 93.22 89.15 90.56
            EMD: 99.03 98.43 96.31 93.78"""),
        notes=(_OF_VIDEOS,),
    ),
    Protocol(
        name="emd/figure4",
        detectors=("emd",),
        kind="localization",
        title="trained and tested on FF++ c23 Face2Face; AUC of videos and of pixels",
        train_methods=(F2F,),
        cells=_detection_and_segmentation(F2F),
        published=published_rows("EMD: 99 97"),
    ),
    Protocol(
        name="emd/figure5",
        detectors=("emd",),
        kind="localization",
        # The text gives differences alone: 3 and 1 points more than without expressions.
        title="trained and tested on FF++ c23 NeuralTextures; AUC of videos and of pixels",
        train_methods=(NT,),
        cells=_detection_and_segmentation(NT),
    ),
    Protocol(
        name="emd/figure6",
        detectors=("emd",),
        kind="training size",
        title="trained on 10 to 700 real videos of FF++ c23 and their forgeries; accuracy",
        train_methods=(F2F, DF),
        train_compression="c23",
        # The figure's caption says F2F and DF, the text F2F and NT; and no level.
        cells=tuple(
            Cell(
                column=f"{name} {size} {metric}",
                metric=metric,
                methods=(method,),
                compression="c23",
                train=(method,),
                videos=size,
                variant=f"{name}-{size}-videos",
                at=size,
                curve=f"{name} {metric}",
            )
            for name, method in (("F2F", F2F), ("DF", DF))
            for size in _SIZES
            for metric in ("accuracy", "PBCA")
        ),
        axis="real training videos",
        notes=(_OF_VIDEOS, "The paper draws these values and does not print them."),
    ),
)
