"""How the scores of a results folder become a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmask.errors import UsageError
from unmask.evaluate.faces import FaceRule, face_rule_named
from unmask.evaluate.granularity import Granularity, granularity_named
from unmask.evaluate.tables import ThresholdRule, rule_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """The choices of a measurement.

    Attributes:
        granularity: what a score belongs to.
        faces: which faces of a video its score comes from.
        rule: what accuracies are measured at, see ``RULES``.
        threshold_from: data set whose split ``val`` gives the thresholds; None: each its own.
        resamples: number of bootstrap samples.

    Raises:
        UsageError: a rule of faces is given, but it is not videos that are measured.
    """

    granularity: Granularity = "video"
    faces: FaceRule = "all"
    rule: ThresholdRule = "balanced"
    threshold_from: str | None = None
    resamples: int = 10_000

    def __post_init__(self) -> None:
        if self.faces != "all" and self.granularity != "video":
            raise UsageError(
                f"Cannot use --faces {self.faces} with --granularity {self.granularity}: it says "
                "which face gives a video its score. Leave one of them out."
            )

    @classmethod
    def named(
        cls,
        granularity: str,
        faces: str | None,
        threshold: str | None,
        threshold_from: str | None,
        resamples: int,
    ) -> Self:
        """The choices by their names; None takes the default.

        Raises:
            UnknownNameError: a name that does not exist; the message lists the known ones.
            UsageError: as for the class.
        """
        return cls(
            granularity=granularity_named(granularity),
            faces=face_rule_named(faces or "all"),
            rule=rule_named(threshold or "balanced"),
            threshold_from=threshold_from,
            resamples=resamples,
        )
