"""``unmask calibrate``: labelled videos and weights in, the calibration of a scan out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli import options
from unmask.cli.outputs import check_target, replacing, writable
from unmask.cli.terminal import show_lines, show_note
from unmask.errors import UsageError

app = typer.Typer()

_ELSEWHERE = "another file with -o"

_Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA", help="Labelled videos: a folder with real/ and fake/, or a data set."
    ),
]
_Detectors = Annotated[
    list[str],
    typer.Option(
        "--detector",
        "-d",
        metavar="NAME[=TAG|FILE]",
        help="Detector, and the weights to calibrate. Several make a panel.",
    ),
]
_Out = Annotated[Path, options.out("FILE", "Write the calibration to this file.")]
_Scores = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of the scores; what is scored there is not scored again. "
        "Default: FILE.scores.",
    ),
]
_Rate = Annotated[
    float, typer.Option(metavar="SHARE", help="Share of real videos called manipulated, at most.")
]
_AsIs = Annotated[
    bool, typer.Option("--as-is", help="Score no recompressed and no smaller copies.")
]
_Anyway = Annotated[
    bool, typer.Option("--anyway", help="Write a panel that is no better than its first member.")
]


@app.command("calibrate")
def calibrate(
    data: _Data,
    detectors: _Detectors,
    out: _Out,
    dataset: options.Dataset = None,
    split: options.Split = None,
    methods: options.Methods = None,
    compressions: options.Compressions = None,
    scores: _Scores = None,
    rate: _Rate = 0.05,
    as_is: _AsIs = False,
    resamples: options.Resamples = 2000,
    anyway: _Anyway = False,
    device: options.Device = "cpu",
    overwrite: options.Overwrite = False,
) -> None:
    """Learn from labelled videos how a detector's scores become an answer.

    The videos must be none that the weights were trained on. Goes on where it stopped.
    """
    names, weights = _parse(detectors)
    check_target(out, overwrite=overwrite, elsewhere=_ELSEWHERE)
    from unmask.evaluate import progress_line, read_data

    rows, root = read_data(data, dataset, split, methods, compressions)
    with writable(out.absolute().parent, _ELSEWHERE):
        from unmask.calibrate import COPIES
        from unmask.calibrate import calibrate as fit
        from unmask.calibrate.left_out import is_better
        from unmask.calibrate.summary import summary
        from unmask.verdict import write_calibration

        found = fit(
            rows,
            names,
            scores or out.with_name(f"{out.name}.scores"),
            root=root,
            weights=weights,
            conditions=COPIES[:1] if as_is else COPIES,
            rate=rate,
            resamples=resamples,
            device=device,
            report=lambda *progress: show_note(progress_line(*progress)),
            log=show_note,
        )
        show_lines(summary(found))
        if found.compared and not is_better(dict(found.compared)) and not anyway:
            raise UsageError(
                f"The panel was not written: with sources left out it ranks no better than "
                f"{names[0]} alone. Calibrate that one, or write the panel with --anyway."
            )
        with replacing([out]) as (partial,):
            write_calibration(found.calibration, partial)
    words = [word for name in names for word in ("-d", name)]
    words += [word for name, file in weights.items() for word in ("-w", f"{name}={file}")]
    show_lines([f"Use it: unmask scan VIDEO {' '.join(words)} --calibration {out}"])


def _parse(choices: list[str]) -> tuple[list[str], dict[str, str | Path]]:
    """``NAME`` or ``NAME=TAG|FILE`` as names and as weights of some of them."""
    names = options.check_detectors([choice.partition("=")[0] for choice in choices]) or []
    return names, options.parse_weights([choice for choice in choices if "=" in choice])
