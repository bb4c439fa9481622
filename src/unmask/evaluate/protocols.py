"""The tables and measured figures of the five papers, as values.

A protocol says what a detector is trained on, what it is tested on and what the paper found. The
published figures are those of ``shared/design/evaluation.md``, section 5, in percent (the natural
logarithm of wP as it is). Running one is in ``run_protocol``.
"""

from __future__ import annotations

from unmask.errors import UnknownNameError
from unmask.evaluate.paper_table import FF, FOUR, Cell, Kind, Protocol, Published

DF, F2F, FS, NT, FSHI = "Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter"
_FIVE = (*FOUR, FSHI)
_SHORT = {DF: "DF", F2F: "F2F", FS: "FS", NT: "NT", FSHI: "FShi"}
_TWO_BRANCH_FIGURES = ("AUC", "pAUC@10%", "tAUC@10%", "TAR@10%")


def get_protocol(name: str) -> Protocol:
    """The protocol of a name such as paper/table1.

    Raises:
        UnknownNameError: there is none; the message lists the known ones.
    """
    known = {protocol.name: protocol for protocol in PROTOCOLS}
    if name not in known:
        raise UnknownNameError(f"Unknown protocol {name!r}. Known: {', '.join(known)}.")
    return known[name]


def _rows(text: str) -> tuple[Published, ...]:
    """Published rows out of lines "model: value value …"; "-" is no figure."""
    rows = []
    for line in text.strip().splitlines():
        model, _, values = line.strip().rpartition(":")
        numbers = tuple(None if v == "-" else float(v) for v in values.split())
        rows.append(Published(model, numbers))
    return tuple(rows)


def _left_out(methods: tuple[str, ...], among: tuple[str, ...], figure: str) -> tuple[Cell, ...]:
    """A training for each method without it, tested on it."""
    return tuple(
        Cell(
            column=_SHORT[method],
            figure=figure,
            methods=(method,),
            compression="c23",
            train=tuple(other for other in among if other != method),
            variant=f"without-{method}",
        )
        for method in methods
    )


def _per_level(
    figures: tuple[str, ...], methods: tuple[str, ...], levels: tuple[str, ...], each: bool = False
) -> tuple[Cell, ...]:
    """A training for each level of compression, tested on it: all methods, or ``each`` alone."""
    chosen = [(method,) for method in methods] if each else [methods]
    return tuple(
        Cell(
            column=" ".join([level, *([_SHORT[those[0]]] if each else []), figure]),
            figure=figure,
            methods=those,
            compression=level,
            variant=level,
        )
        for level in levels
        for those in chosen
        for figure in figures
    )


def _detection_and_segmentation(method: str) -> tuple[Cell, ...]:
    """Of EMD's figures 4 and 5, which do not name the level; c23 is that of its ablation."""
    return tuple(
        Cell(column=column, figure=figure, methods=(method,), compression="c23")
        for column, figure in (("detection", "AUC"), ("segmentation", "pixel AUC"))
    )


def _elsewhere(
    column: str, dataset: str, figure: str = "AUC", methods: tuple[str, ...] = (), level: str = ""
) -> Cell:
    return Cell(column=column, figure=figure, dataset=dataset, methods=methods, compression=level)


_TRAINING = "trainings of the variants, which this program's cards do not name"

_NOT_RUN: tuple[tuple[str, Kind, str, str], ...] = (
    ("two_branch/table1", "ablation", "without LoG branch, LSTM, loss", _TRAINING),
    ("lipforensics/table5", "ablation", "pretraining and freezing", _TRAINING),
    ("lipforensics/table6", "ablation", "MS-TCN", _TRAINING),
    ("emd/table5", "ablation", "FER stream simple, ensemble, none", _TRAINING),
    ("emd/figure6", "training size", "10 to 700 videos", "a training for each size"),
    (
        "lipforensics/figure4",
        "robustness",
        "video AUC over severity",
        "corrupted copies of the test videos (unmask corrupt)",
    ),
    (
        "lipforensics/figure5-left",
        "forgery diversity",
        "methods added one by one",
        "a training for each set of methods",
    ),
    (
        "lipforensics/figure5-right",
        "clip length",
        "5 to 30 frames",
        "a training for each length",
    ),
    (
        "lipforensics/figure6",
        "occlusion sensitivity",
        "a gray square or cuboid",
        "explanations, which are no scores",
    ),
    (
        "spatio_temporal/table4",
        "frame order",
        "frames flipped or shuffled; log loss",
        "clips in another order, which a scan does not make",
    ),
    (
        "spatio_temporal/figure4",
        "feature map",
        "t-SNE by method",
        "embeddings, which a results folder does not keep",
    ),
    (
        "two_branch/figure4b",
        "feature map",
        "t-SNE by method",
        "embeddings, which a results folder does not keep",
    ),
)

PROTOCOLS: tuple[Protocol, ...] = (
    Protocol(
        name="lipforensics/table1",
        kind="leave one method out",
        title="trained on FF++ c23 without one method, tested on it; video AUC",
        cells=_left_out((DF, FS, F2F, NT), FOUR, "AUC"),
        average="avg",
        published=_rows("""
            Xception: 93.9 51.2 86.8 79.7 77.9
            CNN-aug: 87.5 56.3 80.1 67.8 72.9
            Patch: 94.0 60.5 87.3 84.8 81.7
            Face X-ray: 99.5 93.2 94.5 92.5 94.9
            CNN-GRU: 97.6 47.6 85.8 86.6 79.4
            LipForensics: 99.7 90.1 99.7 99.1 97.1"""),
    ),
    Protocol(
        name="lipforensics/table2",
        kind="cross-dataset",
        title="trained on FF++ c23, tested on other data sets; video AUC",
        train_compression="c23",
        cells=(
            _elsewhere("CDF", "celeb_df"),
            _elsewhere("DFDC", "dfdc"),
            _elsewhere("FSh", FF, methods=(FSHI,), level="c23"),
            _elsewhere("DFo", "deeper_forensics", methods=("end_to_end",)),
        ),
        average="avg",
        published=_rows("""
            Xception: 73.7 70.9 72.0 84.5 75.3
            Face X-ray: 79.5 65.5 92.8 86.8 81.2
            CNN-GRU: 69.8 68.9 80.8 74.1 73.4
            Multi-task: 75.7 68.1 66.0 77.7 71.9
            DSP-FWA: 69.5 67.3 65.5 50.2 63.1
            Two-branch: 76.7 - - - -
            LipForensics: 82.4 73.5 97.1 97.6 87.7"""),
    ),
    Protocol(
        name="lipforensics/table3",
        kind="robustness",
        title="trained on FF++ raw, tested on corrupted copies; mean video AUC of 5 severities",
        train_compression="raw",
        columns=("sat", "con", "block", "noise", "blur", "pixel", "compress", "avg"),
        published=_rows("""
            Xception: 99.3 98.6 99.7 53.8 60.2 74.2 62.1 78.3
            CNN-aug: 99.3 99.1 95.2 54.7 76.5 91.2 72.5 84.1
            Patch: 84.3 74.2 99.2 50.0 54.4 56.7 53.4 67.5
            Face X-ray: 97.6 88.5 99.1 49.8 63.8 88.6 55.2 77.5
            CNN-GRU: 99.0 98.8 97.9 47.9 71.5 86.5 74.5 82.3
            LipForensics: 99.9 99.6 87.4 73.8 96.1 95.6 95.6 92.5"""),
        lacks="corrupted copies of the test videos (unmask corrupt) as a data set of their own",
    ),
    Protocol(
        name="lipforensics/table4",
        kind="in-distribution",
        title="trained and tested on FF++, each level by itself; video AUC",
        cells=_per_level(("AUC",), FOUR, ("raw", "c23", "c40")),
        published=_rows("""
            Xception: 99.8 99.3 92.0
            Two-branch: - 99.1 91.1
            Face X-ray: 99.8 97.8 77.3
            CNN-GRU: 99.9 99.3 92.2
            LipForensics: 99.9 99.7 98.1"""),
    ),
    Protocol(
        name="two_branch/table2",
        kind="in-distribution",
        title="trained and tested on FF++, each level by itself; video level",
        cells=_per_level(_TWO_BRANCH_FIGURES, FOUR, ("c23", "c40")),
        published=_rows("Two-branch: 99.12 98.41 86.10 98.21 91.10 76.57 51.18 72.85"),
    ),
    Protocol(
        name="two_branch/table3",
        kind="cross-dataset",
        title="trained on FF++, tested on Celeb-DF; video level",
        train_compression="c23",
        cells=tuple(_elsewhere(figure, "celeb_df", figure) for figure in _TWO_BRANCH_FIGURES),
        published=_rows("Two-branch: 76.65 58.70 19.73 39.70"),
    ),
    Protocol(
        name="two_branch/table4a",
        kind="in-distribution",
        title="trained and tested on FF++, each level by itself; accuracy",
        cells=_per_level(("accuracy",), FOUR, ("c23", "c40")),
        published=_rows("""
            MesoNet: 83.10 70.47
            Xception: 95.73 81.00
            Two-branch: 96.43 86.34"""),
    ),
    Protocol(
        name="two_branch/table4b",
        kind="in-distribution",
        title="trained and tested on the DFDC preview; natural logarithm of wP at a recall",
        train_dataset="dfdc_preview",
        train_methods=(),
        cells=tuple(
            _elsewhere(figure, "dfdc_preview", figure)
            for figure in ("log wP@10%", "log wP@50%", "log wP@90%")
        ),
        published=_rows("Two-branch: -2.564 -3.152 -3.548"),
    ),
    Protocol(
        name="emd/table2",
        kind="in-distribution",
        title="trained and tested on FF++, each level by itself; accuracy per method",
        train_methods=(DF, F2F, NT),
        cells=_per_level(("accuracy",), (DF, F2F, NT), ("c23", "c40"), each=True),
        published=_rows("""
            MesoNet: 95.26 95.84 85.95 89.52 83.56 75.74
            MultiTask: 93.92 92.77 88.05 85.77 82.31 80.67
            XceptionNet: 98.85 98.23 94.50 94.28 91.56 82.11
            EMD: 99.13 99.03 96.31 95.88 94.45 83.67"""),
    ),
    Protocol(
        name="emd/table3",
        kind="in-distribution",
        title="trained and tested on FF++ Face2Face, each level by itself; accuracy",
        train_methods=(F2F,),
        cells=_per_level(("accuracy",), (F2F,), ("c23", "c40")),
        published=_rows("""
            MultiTask + EnsFER: 95.22 85.89
            EMD: 99.03 94.45"""),
    ),
    Protocol(
        name="emd/table4",
        kind="localization",
        title="trained and tested on FF++, each level by itself; accuracy of pixels at 0.5",
        train_methods=(F2F, NT),
        cells=_per_level(("PBCA",), (F2F, NT), ("c23", "c40"), each=True),
        published=_rows("""
            MultiTask: 90.27 88.67 87.76 84.55
            XceptionNet: 96.13 91.34 92.45 89.39
            MultiTask + EnsFER: 93.22 90.56 89.31 86.56
            EMD: 98.43 93.78 95.22 91.54"""),
    ),
    Protocol(
        name="emd/figure4",
        kind="localization",
        title="trained and tested on FF++ c23 Face2Face; AUC of videos and of pixels",
        train_methods=(F2F,),
        cells=_detection_and_segmentation(F2F),
        published=_rows("EMD: 99 97"),
    ),
    Protocol(
        name="emd/figure5",
        kind="localization",
        # The text gives differences alone: 3 and 1 points more than without expressions.
        title="trained and tested on FF++ c23 NeuralTextures; AUC of videos and of pixels",
        train_methods=(NT,),
        cells=_detection_and_segmentation(NT),
    ),
    Protocol(
        name="anti_compression/table1",
        kind="across compression",
        title="trained on pairs of FF++ c23 and c40, tested on c40",
        train_compression="c40",
        cells=(
            Cell(column="accuracy", figure="accuracy", methods=FOUR, compression="c40"),
            Cell(column="AUC", figure="AUC", methods=FOUR, compression="c40"),
        ),
        published=_rows("Anti-compression: 87.69 91.5"),
    ),
    Protocol(
        name="anti_compression/table2",
        kind="ablation",
        title="trained on pairs of FF++ c23 and c40, Deepfakes alone, tested on c40",
        train_methods=(DF,),
        train_compression="c40",
        cells=(
            Cell(column="accuracy", figure="accuracy", methods=(DF,), compression="c40"),
            Cell(column="AUC", figure="AUC", methods=(DF,), compression="c40"),
        ),
        published=_rows("""
            L_cls: 94.92 98.87
            L_cls + AT: 95.33 99.26
            L_cls + AT + Dis: 95.46 99.37
            L_cls + AT + Dis + Gan: 95.71 99.20"""),
    ),
    Protocol(
        name="spatio_temporal/table1",
        kind="leave one method out",
        title="trained on FF++ c23 without one method; share of it that is found",
        train_methods=_FIVE,
        cells=_left_out(_FIVE, _FIVE, "found"),
        published=_rows("""
            Xception (drop -10.28): 21.43 12.14 0 0 1.43
            EffNet-B3 (drop -10.49): 15.71 7.14 0 0 15.00
            biGRU (drop -6.99): 71.43 35.00 4.29 7.86 26.43
            R3D (drop -4.90): 62.14 75.00 5.00 57.14 56.43
            I3D (drop -3.37): 77.86 87.86 12.86 71.43 63.57"""),
    ),
    Protocol(
        name="spatio_temporal/table2",
        kind="cross-dataset",
        title="trained on FF++ c23, tested on DeeperForensics; share that is found",
        train_methods=_FIVE,
        train_compression="c23",
        cells=(_elsewhere("DFo", "deeper_forensics", "found", ("end_to_end",)),),
        published=_rows("""
            Xception: 24.28
            EffNet-B3: 16.43
            biGRU: 18.57
            R3D: 56.43
            I3D: 78.57"""),
    ),
    Protocol(
        name="spatio_temporal/table3",
        kind="leave a group out",
        title="trained on FF++ c23 without a task or an architecture; share that is found",
        train_methods=_FIVE,
        cells=tuple(
            Cell(
                column=f"{variant} {_SHORT[method]}",
                figure="found",
                methods=(method,),
                compression="c23",
                train=tuple(other for other in _FIVE if other not in group),
                variant=f"without-{variant}",
            )
            for variant, group in (
                ("swap", (DF, FS, FSHI)),
                ("reenactment", (F2F, NT)),
                ("learned", (DF, NT, FSHI)),
                ("model-based", (F2F, FS)),
            )
            for method in group
        ),
    ),
    *(
        Protocol(name=name, kind=kind, title=title, lacks=lacks)
        for name, kind, title, lacks in _NOT_RUN
    ),
)
