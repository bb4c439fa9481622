"""Seven families of corruption at five severities each, on clips and on single frames."""

from unmask.corruptions.clip import corrupt, corrupt_frame
from unmask.corruptions.kinds import KINDS, SEVERITIES, Kind, get_kind

__all__ = [
    "KINDS",
    "SEVERITIES",
    "Kind",
    "corrupt",
    "corrupt_frame",
    "get_kind",
]
