"""One video in, a folder of explanations out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unmask.detectors import Card, Detector
from unmask.errors import MediaError, OutputError, UsageError
from unmask.explain import record
from unmask.explain.charts import need_charts
from unmask.explain.choose import Chooser
from unmask.explain.face import Explanation, Settings, explain_face
from unmask.explain.methods import Method, choose_methods
from unmask.explain.occlusion import cover_for
from unmask.pipeline.coverage import Progress
from unmask.pipeline.scan import scan_with
from unmask.report.wording import face_name, plural
from unmask.types import DetectorUse, Verdict

Report = Callable[[str], None]
"""Receives lines that tell what happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations:
    """What was made.

    ``files`` are all files in ``folder``; ``heats`` the heat of every frame of every clip, by
    method; ``notes`` what a reader should know, such as that the detector is untrained.
    """

    folder: Path
    files: tuple[Path, ...]
    heats: tuple[Explanation, ...]
    notes: tuple[str, ...]


def explain(
    path: str | Path,
    detector: Detector,
    out: str | Path,
    *,
    methods: Sequence[str] | None = None,
    device: str = "cpu",
    at_s: float | None = None,
    face: int | None = None,
    most_faces: int = 6,
    size_px: int | None = None,
    stride_px: int | None = None,
    draws: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
    report: Report = lambda line: None,
) -> Explanations:
    """Shows what a detector's score of a video rests on.

    The video is scanned once. Of each face the clip with the highest score is explained, by
    pictures, numbers (``explanation.json``) and a video with heat over the face. The folder
    appears complete or not at all.

    Args:
        path: the video, picture or folder of frames; it is only read.
        detector: from ``load_detector``.
        out: the folder to make; it must not exist, or be empty.
        methods: names of ``methods_of``; None takes all that apply to the detector.
        device: where the network is.
        at_s: explains the clip shown at this time instead of the one with the highest score.
        face: explains this face alone, by the number in reports (the first is 1).
        most_faces: number of faces that are explained, those with the highest scores.
        size_px: edge of the square that covers, in pixels of the network's input.
        stride_px: pixels from one place of the square to the next.
        draws: how often the order of frames is disturbed anew.
        seed: seed of the draws.
        progress: called now and then while the video is read.
        report: receives lines that tell what happens.

    Raises:
        MediaError: the video cannot be read, or holds no face that the detector could score.
        UnknownNameError: there is no such method.
        UsageError: no method applies, or an argument is out of range.
        OutputError: the folder is not empty, or cannot be made.
        MissingDependencyError: what draws charts is not installed.
        WeightsError: the network gives what is no number.
    """
    card, use = detector.card, detector.weights
    chosen_methods, not_applicable = choose_methods(card, methods)
    settings = Settings(size_px=size_px, stride_px=stride_px, draws=draws, seed=seed)
    _check(card, chosen_methods, settings, at_s, face, most_faces)
    with _new_folder(Path(out)) as folder:
        chooser = Chooser(at_s, most_faces, None if face is None else face - 1)
        verdict = scan_with(
            path, [detector], device, calibrations=(), progress=progress, keep=chooser
        )
        faces = chooser.chosen()
        _check_faces(verdict, chooser, card, at_s, face)
        refused = {} if methods is None else not_applicable
        notes = _notes(use, refused, len(chooser.tracks) - len(faces), face)
        for note in notes:
            report(note)
        explained = [
            explain_face(chosen, detector, verdict, chosen_methods, settings, folder, report)
            for chosen in faces
        ]
        content = record.header(verdict, use, settings.plain(), notes)
        content["not_applicable"] = not_applicable
        content["faces"] = [face.numbers for face in explained]
        record.write(folder / "explanation.json", content)
        names = sorted(file.name for file in folder.iterdir())
    return Explanations(
        folder=Path(out),
        files=tuple(Path(out) / name for name in names),
        heats=tuple(heat for face in explained for heat in face.heats),
        notes=tuple(notes),
    )


def _check(
    card: Card,
    methods: Sequence[Method],
    settings: Settings,
    at_s: float | None,
    face: int | None,
    most_faces: int,
) -> None:
    """What can be refused before the video is read."""
    for name, value in {"face": face, "most_faces": most_faces, "draws": settings.draws}.items():
        if value is not None and value < 1:
            raise UsageError(f"Cannot explain with {name}={value}: expected 1 or more.")
    if at_s is not None and not at_s >= 0:
        raise UsageError(f"Cannot explain the clip at {at_s} s: expected a time of at least 0.")
    if settings.seed < 0:
        raise UsageError(f"Cannot explain with seed {settings.seed}: expected 0 or more.")
    height, width = card.input.size
    cover_for((card.input.frames, height, width), settings.size_px, settings.stride_px)
    if any(method.kind != "heat" for method in methods):
        need_charts()


def _check_faces(
    verdict: Verdict, chooser: Chooser, card: Card, at_s: float | None, face: int | None
) -> None:
    name = verdict.video.path
    if not chooser.tracks:
        found = plural(len(verdict.tracks), "face") if verdict.tracks else "no face"
        raise MediaError(
            f"Cannot explain '{name}': expected a face that {card.name} can score, found {found} "
            f"and no clip of {plural(card.input.frames, 'frame')}. Give a video that shows a face "
            "for longer, or larger."
        )
    if at_s is not None and at_s > max(verdict.coverage.decoded_s, verdict.video.duration_s):
        raise UsageError(
            f"Cannot explain the clip at {at_s:g} s: '{name}' ends at "
            f"{verdict.coverage.decoded_s:.2f} s. Give an earlier time."
        )
    if face is not None and face - 1 not in chooser.tracks:
        known = ", ".join(str(track + 1) for track in sorted(chooser.tracks))
        raise UsageError(
            f"Cannot explain {face_name(face - 1)} of '{name}': {card.name} scored face {known}. "
            "Give one of these."
        )


def _notes(
    use: DetectorUse, not_applicable: dict[str, str], left_out: int, face: int | None
) -> list[str]:
    notes = []
    if not use.sha256:
        notes.append(
            f"WARNING: {use.name} has no weights. It is untrained: its scores and everything "
            "shown here mean nothing."
        )
    notes += [f"{name} does not apply: {reason}." for name, reason in not_applicable.items()]
    if left_out > 0 and face is None:
        notes.append(
            f"{plural(left_out, 'face')} with lower scores not explained: choose one by its number."
        )
    return notes


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder to fill, which takes its place on success and is removed on anything else."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        what = "it is not empty" if out.is_dir() else "it is a file"
        raise OutputError(f"Cannot write to '{out}': {what}. Give a new folder with -o.")
    whole = out.absolute()  # so that "." has a name, too
    partial = whole.with_name(f".{whole.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
    except OSError as error:
        raise OutputError(
            f"Cannot write to '{out}': {error.strerror}. Remove '{partial}' if an earlier run "
            "left it, or give another folder with -o."
        ) from error
    try:
        yield partial
        partial.replace(whole)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
