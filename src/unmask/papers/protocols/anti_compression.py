"""Metric Learning for Anti-Compression Facial Forgery Detection (Cao et al., ACM MM 2021)."""

from __future__ import annotations

from typing import Final

from unmask.papers.protocol import DF, FOUR, Cell, Protocol, published_rows


def _on_c40(methods: tuple[str, ...]) -> tuple[Cell, ...]:
    return tuple(
        Cell(column=metric, metric=metric, methods=methods, compression="c40")
        for metric in ("accuracy", "AUC")
    )


PROTOCOLS: Final = (
    Protocol(
        name="anti_compression/table1",
        detectors=("anti_compression",),
        frames=270,
        kind="across compression",
        title="trained on pairs of FF++ c23 and c40, tested on c40",
        train_compression="c40",
        cells=_on_c40(FOUR),
        published=published_rows("""
            Steg. features: 55.98 -
            CustomPooling CNN: 61.18 -
            MesoNet: 70.47 -
            Face X-ray: - 61.6
            Xception: 86.52 90.3
            Anti-compression: 87.69 91.5"""),
    ),
    Protocol(
        name="anti_compression/table2",
        detectors=("anti_compression",),
        frames=270,
        kind="ablation",
        title="trained on pairs of FF++ c23 and c40, Deepfakes alone, tested on c40",
        train_methods=(DF,),
        train_compression="c40",
        cells=_on_c40((DF,)),
        published=published_rows("""
            L_cls: 94.92 98.87
            L_cls + AT: 95.33 99.26
            L_cls + AT + Dis: 95.46 99.37
            L_cls + AT + Dis + Gan: 95.71 99.20"""),
    ),
)
