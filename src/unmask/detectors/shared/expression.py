"""What detectors that are shown facial expressions share: the stream's files and its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Output, Pretraining, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.errors import UsageError, WrongVariantError
from unmask.losses import ensemble_loss
from unmask.nn.esr import BRANCHES, from_published
from unmask.nn.expression import SIDE_PX, ExpressionClassifier
from unmask.types import InputSpec

BASE_FILE = "Net-Base-Shared_Representations.pt"

BRANCHES_OF = {"sim": 1, "ens": BRANCHES}
"""Voices of the kinds of stream that papers compare."""

_MARGIN = 1.3
_EXPRESSIONS = (
    *("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"),
)


def is_esr(published: Mapping[str, Tensor]) -> bool:
    """Whether tensors are those of one of ESR's files."""
    return {"conv4.weight", "bn4.weight"} <= published.keys()


def _brings_esr(path: Path) -> bool:
    """Whether the file is one of ESR's, or these lie beside it."""
    return path.with_name(BASE_FILE).is_file() or is_esr(read_tensors(path))


def esr_start(
    importer: Callable[[Path], Mapping[str, Tensor]], *, polarity: str, used: str = ""
) -> Weights:
    """ESR-9 as a start for training.

    Args:
        importer: as in ``Weights``.
        polarity: as in ``Weights``.
        used: what else is read, continuing a sentence.
    """
    return Weights(
        tag="esr9",
        license="non-commercial (the authors' README; their code is MIT); data: research only",
        trained_on=f"AffectNet: ESR-9, {BASE_FILE} with Net-Branch_1.pt to Net-Branch_9.pt "
        f"in the same folder{used}: a start for training, not a detector",
        polarity=polarity,
        importer=importer,
        is_non_commercial=True,
        licensor="the authors of ESR-9 (README of siqueira-hc/Efficient-Facial-Feature-Learning-"
        "with-Wide-Ensemble-based-Convolutional-Neural-Networks)",
        recognizes=_brings_esr,
    )


def esr_state(folder: Path) -> dict[str, Tensor]:
    """The ten files of ESR-9 as tensors of ``fer``, without the heads for valence and arousal.

    Raises:
        WrongVariantError: some of them are missing.
    """
    names = [BASE_FILE, *(f"Net-Branch_{number}.pt" for number in range(1, BRANCHES + 1))]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise WrongVariantError(
            f"Weights of ESR-9 in '{folder}' are not whole: expected {BASE_FILE} and "
            f"{names[1]} to {names[-1]}, missing {', '.join(missing)}. "
            "Put all ten files into one folder."
        )
    base, *branches = (read_tensors(folder / name) for name in names)
    state = from_published(base, branches, has_affect=False)
    return {f"fer.esr.{key}": value for key, value in state.items()}


def expression_pretraining(loss: Callable[[Output, Target], Tensor]) -> Pretraining:
    """Training of the expression stream by itself.

    Args:
        loss: the detector's, which the pretraining does not call.
    """
    return Pretraining(
        summary="Facial expressions: shared layers and nine branches, each with its own cross "
        "entropy.",
        layout="affectnet",
        classes=_EXPRESSIONS,
        # The detector's crop, which is what the network is shown later on.
        input=InputSpec(
            region="face",
            margin=_MARGIN,
            size=(SIDE_PX, SIDE_PX),
            mean=(0.0, 0.0, 0.0),
            std=(1.0, 1.0, 1.0),
            frames=1,
        ),
        # EMD does not say how; these are the settings of ESR's authors, who add branches one by
        # one.
        recipe=Recipe(
            loss=loss,
            optimizer=Optimizer(kind="sgd", learning_rate=0.1, momentum=0.9),
            schedule=Schedule(
                epochs=50, kind="step", wait_epochs=10, factor=0.5, patience=50, monitor="accuracy"
            ),
            sampling=Sampling(batch_size=32, augment="flip", kind="balanced"),
        ),
        build=_build_fer,
        loss=ensemble_loss,
        into=dict,  # ExpressionClassifier has the detector's names.
    )


def _build_fer(args: Mapping[str, object], classes: int) -> nn.Module:
    """The expression network to be trained by itself, for the detector's arguments."""
    fer, expected = str(args["fer"]), args["classes"]
    if fer not in BRANCHES_OF:
        raise UsageError(
            f"Cannot train the expression network: fer is {fer!r}, so the detector has none. "
            "Use --set fer=ens or --set fer=sim."
        )
    if classes != expected:
        raise UsageError(
            f"Cannot train the expression network: the data have {classes} expressions, the "
            f"detector expects {expected}. Use --set classes={classes}, here and for the detector, "
            "or choose the expressions with --method."
        )
    return ExpressionClassifier(BRANCHES_OF[fer], classes)
