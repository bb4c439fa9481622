"""Checks video for deepfaked faces: which face, when, where in it, and what was not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unmask._version import __version__
from unmask.errors import UnmaskError
from unmask.types import Finding, Verdict

if TYPE_CHECKING:
    from unmask.detectors import list_detectors
    from unmask.pipeline.scan import scan
    from unmask.verdict import read_calibration
    from unmask.weights import import_weights, load_detector

__all__ = [
    "Finding",
    "UnmaskError",
    "Verdict",
    "__version__",
    "import_weights",
    "list_detectors",
    "load_detector",
    "read_calibration",
    "scan",
]

_HOMES = {
    "scan": "unmask.pipeline.scan",
    "list_detectors": "unmask.detectors",
    "load_detector": "unmask.weights",
    "import_weights": "unmask.weights",
    "read_calibration": "unmask.verdict",
}


def __getattr__(name: str) -> Any:
    """Imports the public functions at first use, so that ``import unmask`` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'unmask' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
