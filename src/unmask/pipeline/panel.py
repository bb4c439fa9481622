"""Who scans when nobody is named, and which calibrations judge: given, shipped and the panel's.

The panel is ``panel.calibration.json``, a calibration of several detectors together. Its
first member always scans. On a CPU the others are left out of videos longer than their
``longest_cpu_s``, and everywhere if their weights are not on this machine: a scan downloads nothing
on its own. The report names who was left out; the others are judged by their own calibrations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from unmask.detectors import default_detectors, get_card
from unmask.errors import UsageError, WeightsError
from unmask.types import Calibration, DetectorUse, PanelMember, VideoInfo
from unmask.verdict import read_calibration
from unmask.weights import is_here


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
    return [member.detector for member in panel.panel] if panel else default_detectors()


def choose(
    video: VideoInfo, device: str, weights: Mapping[str, str | Path]
) -> tuple[list[str], list[str]]:
    """Who scans a video when nobody is named.

    Args:
        video: what is scanned.
        device: where the networks run.
        weights: those that were asked for; their detectors are never left out.

    Returns:
        The names, and a note for each member that is left out.
    """
    panel = default_panel()
    if panel is None:
        return default_detectors(), []
    names, notes = [], []
    for number, member in enumerate(panel.panel):
        is_kept = number == 0 or member.detector in weights
        reason = None if is_kept else missing_reason(member, video, device)
        if reason is None:
            names.append(member.detector)
        else:
            notes.append(f"{member.detector} was left out: {reason}.")
    return names, notes


def missing_reason(member: PanelMember, video: VideoInfo, device: str) -> str | None:
    """Why a member of the panel does not scan a video; None if it does."""
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
    return None


def fitting(uses: Sequence[DetectorUse], given: Sequence[Calibration] | None) -> Fitting:
    """The calibrations that were made with exactly these weights.

    Args:
        uses: who scans, with which weights.
        given: calibrations for some of them; the shipped ones serve the others. None: the shipped
            ones alone; empty: none at all.

    Raises:
        UsageError: a given one is of a detector that does not scan, or two are of the same ones.
        WeightsError: a given one was made with other weights.
    """
    hashes = {use.name: use.sha256 for use in uses if use.sha256}
    for calibration in given or []:
        _check(calibration, uses)
    known = list(given or [])
    _check_single(known)
    covered = {name for calibration in known for name in members(calibration)}
    if given is None or given:
        known += [one for one in _shipped(uses) if not covered & members(one).keys()]
    single = {
        one.detector: one
        for one in known
        if not one.panel and members(one).items() <= hashes.items()
    }
    panels = [one for one in known if one.panel and members(one) == hashes]
    return Fitting(single, panels[0] if panels else None)


def members(calibration: Calibration) -> dict[str, str]:
    """The detectors that a calibration is of, each with the hash of its weights."""
    if calibration.panel:
        return {member.detector: member.weights_sha256 for member in calibration.panel}
    return {calibration.detector: calibration.weights_sha256}


def _check(calibration: Calibration, uses: Sequence[DetectorUse]) -> None:
    by_name = {use.name: use for use in uses}
    for name, sha256 in members(calibration).items():
        if name not in by_name:
            raise UsageError(
                f"Cannot use the calibration '{calibration.name}': it is of {name}, which does not "
                f"scan here (only {', '.join(by_name)}). Name {name} too, or leave the calibration "
                "out."
            )
        use = by_name[name]
        if not use.sha256 or use.sha256 != sha256:
            raise WeightsError(
                f"Cannot use the calibration '{calibration.name}': it was made with other weights "
                f"of {name} (sha256 {sha256[:12] or 'none'}…) than those that scan "
                f"({use.weights}, sha256 {use.sha256[:12] or 'none'}…). Give the weights that it "
                "was made with, or calibrate these: unmask calibrate."
            )


def _check_single(calibrations: Sequence[Calibration]) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for calibration in calibrations:
        of = tuple(sorted(members(calibration)))
        if of in seen:
            raise UsageError(
                f"Cannot use the calibrations '{seen[of]}' and '{calibration.name}' together: both "
                f"are of {' with '.join(of)}. Give one of them."
            )
        seen[of] = calibration.name


def _shipped(uses: Sequence[DetectorUse]) -> list[Calibration]:
    files = [_weights() / f"{use.name}.calibration.json" for use in uses]
    known = [read_calibration(file) for file in files if file.is_file()]
    return known + ([panel] if (panel := default_panel()) else [])


def _weights() -> Path:
    return Path(str(resources.files("unmask"))) / "weights" / "files"
