"""Who scans when nobody is named, and whose word counts: shipped calibrations and the panel.

The panel is ``weights/panel.calibration.json``, a calibration of several detectors together. Its
first member always scans. On a CPU the others are left out of videos longer than their
``longest_cpu_s``, and everywhere if their weights are not on this machine: a scan downloads nothing
on its own. What is left out is told, and the rest is judged by calibrations of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from unmask.detectors import default_detectors, get_card
from unmask.detectors.weights import is_here
from unmask.types import Calibration, DetectorUse, PanelMember, VideoInfo
from unmask.verdict import read_calibration


class Fitting(NamedTuple):
    """Calibrations made with exactly the weights in use: by detector, and of all together."""

    calibrations: dict[str, Calibration]
    panel: Calibration | None


def default_panel() -> Calibration | None:
    """The shipped panel; None if there is none."""
    file = _weights() / "panel.calibration.json"
    return read_calibration(file) if file.is_file() else None


def default_names() -> list[str]:
    """Names of the detectors that scan when none is named: the panel's, else the default ones."""
    panel = default_panel()
    return [one.detector for one in panel.panel] if panel else default_detectors()


def choose(
    video: VideoInfo, device: str, weights: Mapping[str, str | Path]
) -> tuple[list[str], list[str]]:
    """Who scans a video when nobody is named.

    Args:
        video: what is scanned.
        device: where the networks run.
        weights: those that were asked for; their detectors are never left out.

    Returns:
        The names, and a sentence for each member that is left out.
    """
    panel = default_panel()
    if panel is None:
        return default_detectors(), []
    names, told = [], []
    for number, member in enumerate(panel.panel):
        why = "" if number == 0 or member.detector in weights else _lack(member, video, device)
        if why:
            told.append(f"{member.detector} was left out: {why}.")
        else:
            names.append(member.detector)
    return names, told


def _lack(member: PanelMember, video: VideoInfo, device: str) -> str:
    if not any(is_here(member.detector, entry) for entry in get_card(member.detector).weights):
        return (
            f"its weights are not on this machine (unmask describe {member.detector} says how to "
            "get them)"
        )
    longest_s = member.longest_cpu_s
    if device == "cpu" and longest_s is not None and video.duration_s > longest_s:
        return (
            f"on a CPU it looks at videos of up to {longest_s:.0f} s, this one has "
            f"{video.duration_s:.0f} s (name the detectors with -d to have all of them look, or "
            "use a GPU with --device cuda)"
        )
    return ""


def fitting(uses: Sequence[DetectorUse], given: Sequence[Calibration] | None) -> Fitting:
    """The calibrations that were made with exactly these weights.

    Args:
        uses: who scans, with which weights.
        given: calibrations to choose from; None: the shipped ones.
    """
    known = list(given or [])
    if given is None:
        files = [_weights() / f"{use.name}.calibration.json" for use in uses]
        known = [read_calibration(file) for file in files if file.is_file()]
        known += [panel] if (panel := default_panel()) else []
    hashes = {use.name: use.sha256 for use in uses if use.sha256}
    single = {
        use.name: one
        for use in uses
        for one in known
        if not one.panel and hashes.get(use.name) == one.weights_sha256 and one.detector == use.name
    }
    panels = [
        one
        for one in known
        if one.panel and {m.detector: m.weights_sha256 for m in one.panel} == hashes
    ]
    return Fitting(single, panels[0] if panels else None)


def _weights() -> Path:
    return Path(str(resources.files("unmask"))) / "weights"
