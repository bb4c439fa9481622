"""Two-branch Recurrent Network (Masi et al., ECCV 2020): values in percent, of videos."""

from __future__ import annotations

from typing import Final

from unmask.papers.protocol import (
    DF,
    FF,
    FOUR,
    Cell,
    Protocol,
    elsewhere,
    of_frames,
    per_level,
    published_rows,
)

_METRICS: Final = ("AUC", "pAUC@10%", "tAUC@10%", "TAR@10%")
_ON_CELEB: Final = tuple(elsewhere(metric, "celeb_df", metric) for metric in _METRICS)
_WINDOWS: Final = "At frame level a score is a clip: of an image detector a frame, else a window."


def _ablation(part: str, title: str, level: str, metrics: tuple[str, ...], rows: str) -> Protocol:
    """A part of table 1: Deepfakes alone, trained and tested on one level."""
    return Protocol(
        name=f"two_branch/table1{part}",
        detectors=("two_branch",),
        frames=110,
        kind="ablation",
        title=f"{title}; trained and tested on FF++ {level} Deepfakes",
        train_methods=(DF,),
        cells=tuple(
            Cell(column=metric, metric=metric, methods=(DF,), compression=level)
            for metric in metrics
        ),
        published=published_rows(rows),
        notes=("The paper does not say whether these are values of frames or of videos.",),
    )


PROTOCOLS: Final = (
    _ablation(
        *("a", "rates and loss, without LSTM", "c40", ("tAUC@1%", "tAUC@10%", "TAR@1%")),
        """
            Encoder: 57.63 86.61 81.50
            +ft, +drop, +loss: 76.04 89.91 92.84""",
    ),
    _ablation(
        *("b", "one branch and two, without LSTM", "c23", ("tAUC@1%", "tAUC@10%", "TAR@1%")),
        """
            Single-Branch: 56.78 61.14 99.34
            Two-Branch: 61.70 70.80 98.34""",
    ),
    # The text at hand has the settings of table 1c one row below their values; read so that the
    # best row is the one that section 4.1 names.
    _ablation(
        *("c", "with LSTM", "c40", ("tAUC@1%", "TAR@1%")),
        """
            128, cat, groups 1, one rate: 57.21 83.33
            128, cat, groups 1: 73.58 87.38
            128, sum, groups 2: 67.49 83.81
            256, cat, groups 2: 76.35 87.14
            128, cat, groups 2: 81.53 92.54""",
    ),
    Protocol(
        name="two_branch/table2",
        detectors=("two_branch",),
        frames=110,
        kind="in-distribution",
        title="trained and tested on FF++, each compression separately; frames and videos",
        cells=tuple(
            cell
            for level in ("c23", "c40")
            for cells in [per_level(_METRICS, FOUR, (level,))]
            for cell in (*of_frames(cells), *cells)
        ),
        published=published_rows("""
            DSP-FWA: 56.89 51.33 7.47 14.60 57.49 51.59 7.48 15.00 \
                59.15 52.04 8.82 17.30 62.34 51.93 9.82 22.14
            Xception: 92.30 87.71 73.34 81.21 92.50 89.20 58.21 82.85 \
                83.93 74.78 45.92 63.25 86.75 79.10 39.06 68.75
            Two-branch: 98.70 97.43 65.29 97.95 99.12 98.41 86.10 98.21 \
                86.59 69.71 40.41 62.48 91.10 76.57 51.18 72.85"""),
        notes=(_WINDOWS,),
    ),
    Protocol(
        name="two_branch/table3",
        detectors=("two_branch", "xception"),
        quick=("two_branch",),
        frames=110,
        kind="cross-dataset",
        title="trained on FF++ c40, tested on Celeb-DF; frames and videos (3a)",
        train_compression="c40",
        cells=(*of_frames(_ON_CELEB), *_ON_CELEB),
        published=published_rows("""
            Xception-c40: 65.86 54.49 12.23 22.97 69.70 57.18 16.85 34.70
            DSP-FWA: 64.13 52.87 10.18 19.67 69.30 51.40 17.20 32.02
            Xception-c23: 66.65 53.05 10.21 19.83 73.04 52.77 9.45 18.82
            Two-branch: 73.41 57.42 18.18 32.22 76.65 58.70 19.73 39.70"""),
        notes=(_WINDOWS,),
    ),
    Protocol(
        name="two_branch/table3b",
        detectors=("two_branch",),
        frames=110,
        kind="cross-dataset",
        title="trained on FF++ c40, tested on its Deepfakes and on Celeb-DF; AUC of frames",
        train_compression="c40",
        cells=of_frames(
            (
                elsewhere("FF++ AUC", FF, "AUC", (DF,), "c40"),
                elsewhere("Celeb-DF AUC", "celeb_df", "AUC"),
            )
        ),
        published=published_rows("""
            Two-stream: 70.1 53.8
            Meso4: 84.7 54.8
            MesoInception4: 83.0 53.6
            HeadPose: 47.3 54.6
            FWA: 80.1 56.9
            VA-MLP: 66.4 55.0
            VA-LogRes: 78.0 55.1
            Xception-raw: 99.7 48.2
            Xception-c23: 99.7 65.3
            Xception-c40: 95.5 65.5
            Multi-task: 76.3 54.3
            Capsule: 96.6 57.5
            DSP-FWA: 93.0 64.6
            Two-branch: 93.18 73.41"""),
        notes=(_WINDOWS, "The paper takes the other rows from Li et al. (Celeb-DF)."),
    ),
    Protocol(
        name="two_branch/table4a",
        detectors=("two_branch",),
        frames=110,
        kind="in-distribution",
        title="trained and tested on FF++, each compression separately; accuracy",
        cells=per_level(("accuracy",), FOUR, ("c23", "c40")),
        published=published_rows("""
            Xception (full image): 74.78 70.52
            Steg. features + SVM: 70.97 55.98
            Cozzolino et al.: 78.45 58.69
            Bayar and Stamm: 82.97 66.84
            Rahmouni et al.: 79.08 61.18
            MesoNet: 83.10 70.47
            Xception: 95.73 81.00
            Two-branch: 96.43 86.34"""),
    ),
    Protocol(
        name="two_branch/table4b",
        detectors=("two_branch",),
        frames=110,
        kind="cross-dataset",
        title="trained on FF++ c40, tested on the DFDC preview; natural log of wP at a recall",
        train_compression="c40",
        cells=tuple(
            elsewhere(metric, "dfdc_preview", metric)
            for metric in ("log wP@10%", "log wP@50%", "log wP@90%")
        ),
        published=published_rows("""
            TamperNet: -2.796 -3.864 -4.041
            Xception (face): -1.999 -3.012 -4.081
            Xception (full image): -3.293 -3.835 -4.081
            Two-branch: -2.564 -3.152 -3.548"""),
        notes=(
            "The paper's row is its 'test', where two parameters are searched for on the test set "
            "to match the recall. Here the score alone is cut at the recall.",
        ),
    ),
    Protocol(
        name="two_branch/figure4b",
        detectors=("two_branch",),
        frames=110,
        kind="feature map",
        title="t-SNE of the embeddings; trained and tested on FF++ c40 Deepfakes",
        train_methods=(DF,),
        cells=(Cell(column="AUC", metric="AUC", methods=(DF,), compression="c40"),),
    ),
)
