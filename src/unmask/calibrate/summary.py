"""What a calibration is worth, in lines for a terminal."""

from __future__ import annotations

from unmask.calibrate.intervals import Estimate
from unmask.calibrate.run import Calibrated

_SHARES = {
    "false alarms": "real videos called manipulated",
    "found": "fake videos called manipulated",
    "misses": "fake videos in which nothing was found",
}
_RANKING = ("AUC within sources", "pooled AUC", "Cllr")


def summary(found: Calibrated) -> list[str]:
    """The videos it is made of, its metrics on sources left out, and whether it gives chances."""
    made = found.calibration
    lines = [
        f"{made.name}: {made.real_videos} real and {made.fake_videos} fake videos, "
        f"{found.copies} copies; no face could decide in {found.undecided} more."
    ]
    if found.left_out is None:
        lines.append(f"Not tried on sources left out. {found.missing_reason}")
    else:
        metrics = found.left_out.metrics
        lines.append("Each source judged by a calibration made without it:")
        lines += [
            f"  {text}: {metrics[name].items}{_interval(metrics[name], percent=True)}"
            for name, text in _SHARES.items()
            if name in metrics
        ]
        lines += [
            f"  {name}: {metrics[name].value:.2f}{_interval(metrics[name])}"
            for name in _RANKING
            if name in metrics and metrics[name].value is not None
        ]
    lines += [
        f"  {name}: {'not measurable' if one.value is None else f'{one.value:.3f}'}{_interval(one)}"
        for name, one in found.compared.items()
    ]
    lines.append(
        "A scan gives a probability."
        if made.scale == "llr"
        else "A scan gives no probability: the scores do not separate real from fake videos "
        "reliably. They are compared with two bounds."
    )
    return lines


def _interval(one: Estimate, *, percent: bool = False) -> str:
    if one.low is None or one.high is None:
        return ""
    if percent:
        return f" (95 % interval {one.low:.0%} to {one.high:.0%})"
    return f" (95 % interval {one.low:.2f} to {one.high:.2f})"
