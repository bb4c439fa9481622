"""What every run has in common, whether it trains a detector or pretrains a part of one."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from unmask._version import __version__
from unmask.checkpoints import save_weights
from unmask.detectors import Card, get_card
from unmask.train.data import Faces, Origin, Source, origin_of
from unmask.train.fit import Fitted, Hardware, learn
from unmask.train.run_folder import open_folder, read_record, settings_in
from unmask.train.settings import describe, differing_settings
from unmask.types import InputSpec
from unmask.weights import Terms, card_of_weights, terms_of_weights

if TYPE_CHECKING:
    from unmask.train.epochs import TrainingModule


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """A run in its folder, new or resumed.

    Attributes:
        name: of the detector.
        folder: of the run.
        settings: given for this run, else by the record of the run that is resumed.
        weights: that training goes on from; None: none.
        is_resumed: whether it goes on with the run in the folder.
        earlier: record of the run that is resumed; empty for a new one.
        inherited: settings of the weights that training goes on from.
        terms: license of such weights, if they are not for commercial use.
        report: receives lines that tell what happens.
    """

    name: str
    folder: Path
    settings: Sequence[str]
    weights: str | Path | None
    is_resumed: bool
    earlier: Mapping[str, Any]
    inherited: Sequence[str]
    terms: Terms | None
    report: Callable[[str], None]

    @property
    def all_settings(self) -> list[str]:
        """Those inherited, and its own, which hold where both name a key."""
        return [*self.inherited, *self.settings]

    def open(self, threads: int | None) -> None:
        """Opens the folder; sets torch's threads, unless they are None.

        Raises:
            OutputError: there is a run (a new one), or none to go on with (a resumed one).
        """
        open_folder(self.folder, self.is_resumed)
        if threads is not None:
            torch.set_num_threads(threads)

    def fit(
        self,
        module: TrainingModule,
        faces: Faces,
        data: tuple[Source, Source | None],
        hardware: Hardware,
        *,
        progress: bool,
        begin: Callable[[], None] = lambda: None,
        notes: Mapping[str, object] | None = None,
    ) -> tuple[Fitted, Origin]:
        """Trains, and keeps the record.

        Args:
            module: the network, with the card whose recipe is followed.
            faces: what it learns from.
            data: where they come from, and what validates.
            hardware: where the run is made.
            progress: shows Lightning's progress bar.
            begin: gives a new run its first weights.
            notes: more of the record.

        Returns:
            What came of it, and what goes into the metadata of its weights.
        """
        record = record_of(module.card, faces, hardware.device, hardware.devices, self.settings)
        record["data"] |= sources_of(*data)
        record |= {"weights": str(self.weights) if self.weights else None}
        record |= {"inherited": list(self.inherited), "terms": self.terms, **(notes or {})}
        learned = learn(
            module,
            self.folder,
            record,
            hardware,
            resume=self.is_resumed,
            progress=progress,
            begin=begin,
        )
        return learned, origin_of(data[0], faces, self.weights, self.terms)


def prepare_run(
    name: str,
    out: str | Path,
    *,
    weights: str | Path | None,
    settings: Sequence[str],
    resume: bool,
    report: Callable[[str], None],
    has_input: bool = True,
) -> TrainingRun:
    """A run with what it takes over: from the run that it resumes, or from its first weights.

    Args:
        name: of the detector.
        out: the run's folder.
        weights: that training goes on from.
        settings: given for this run.
        resume: goes on with the run in ``out``.
        report: receives lines that tell what happens.
        has_input: whether the input of the weights counts.
    """
    folder = Path(out)
    earlier = read_record(folder) if resume else {}
    if resume:
        settings, weights = settings or settings_in(earlier), weights or earlier.get("weights")
    return TrainingRun(
        name=name,
        folder=folder,
        settings=settings,
        weights=weights,
        is_resumed=resume,
        earlier=earlier,
        inherited=inherited_settings(get_card(name), weights, earlier, report, has_input=has_input),
        terms=terms_of_start(name, weights, earlier),
        report=report,
    )


def inherited_settings(
    card: Card,
    weights: str | Path | None,
    earlier: Mapping[str, Any],
    report: Callable[[str], None],
    *,
    has_input: bool = True,
) -> list[str]:
    """The settings that the network to go on from was trained with, where the card differs.

    Args:
        card: as it is.
        weights: that training goes on from.
        earlier: record of the run that is resumed, which then says; the weights may be gone.
        report: receives a line about them.
        has_input: whether the input counts.
    """
    if earlier:
        return settings_in(earlier, "inherited")
    if weights is None:
        return []
    theirs = card_of_weights(card, weights)
    if not has_input:
        theirs = dataclasses.replace(theirs, input=card.input)
    found = differing_settings(card, theirs)
    if found:
        report(
            f"{weights} was trained with {', '.join(found)}: so is this run, unless --set says "
            "otherwise."
        )
    return found


def terms_of_start(
    name: str, weights: str | Path | None, earlier: Mapping[str, Any]
) -> Terms | None:
    """The license of first weights that are not for commercial use; else None.

    Args:
        name: of the detector.
        weights: that training goes on from.
        earlier: record of the run that is resumed, which then says; the weights may be gone.
    """
    if earlier:
        found = earlier.get("terms")
        return Terms(*found) if found else None
    return None if weights is None else terms_of_weights(get_card(name), weights)


def record_of(
    card: Card, faces: Faces, device: str, devices: int, settings: Sequence[str]
) -> dict[str, Any]:
    """What a run is, for ``write_record``."""
    return {
        "detector": card.name,
        "unmask_version": __version__,
        "torch_version": torch.__version__,
        "date": datetime.date.today().isoformat(),
        "device": device,
        "devices": devices,
        "settings": list(settings),
        **describe(card),
        "data": {
            "rows": len(faces.rows),
            **faces.counts(),
        },
    }


def sources_of(data: Source, validation: Source | None) -> dict[str, Any]:
    """Where the data of a run come from, for ``write_record``."""
    return {
        "path": str(data),
        "validation_path": validation and str(validation),
        "dataset": data.dataset,
        "methods": data.methods,
        "compressions": data.compressions,
        "videos": data.videos,
    }


def save_result(
    state: Mapping[str, Tensor],
    path: Path,
    owner: str,
    origin: Origin,
    *,
    args: Mapping[str, object] | None = None,
    input: InputSpec | None = None,
    notes: Mapping[str, str] | None = None,
) -> Path:
    """Writes a network that a run trained, over the run's own earlier one if it was resumed.

    Args:
        state: of the network.
        path: in the run's folder.
        owner: the detector's name, or what else the network is.
        origin: license and training data.
        args: of the network, if it is a detector's.
        input: what it was trained on, if that is what a detector looks at.
        notes: more metadata.
    """
    path.unlink(missing_ok=True)
    return save_weights(
        state,
        path,
        detector=owner,
        tag=path.parent.name,
        license=origin.license,
        trained_on=origin.trained_on,
        args=args,
        input=input,
        notes={**origin.notes, **(notes or {})},
    )
