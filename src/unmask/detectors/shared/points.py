"""What detectors made of a face's points share: which points, and where their weights lie."""

from __future__ import annotations

from unmask.checkpoints.cache import cache_dir
from unmask.nn.face_points import FacePoints

_FAN_FILE = "landmarks-2DFAN4-11f355bf06.pth.tar"
"""As ``unmask weights download landmarks`` names it, which checks its hash."""

FIVE = (
    "Points: a clip holds pixels alone, so points are found again in it. By default they are the "
    "five of CenterFace, since nothing else is always available"
)

SIXTY_EIGHT = (
    "68 landmarks: --set points=68 takes those of FAN in place of dlib's; this needs the extra "
    "landmarks and its weights (unmask weights download landmarks), which then lie in the trained "
    "file too. Not tried with the real weights here."
)


def load_points(points: FacePoints) -> None:
    """Reads FAN's weights from the cache, if 68 landmarks are to be found.

    Raises:
        WeightsError: they are not there, or are not FAN's.
    """
    points.load(cache_dir() / _FAN_FILE)
