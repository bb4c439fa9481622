"""File -> frames, and frames -> file: probe, decode, stills, encode."""

from unmask.media.container import MAX_PIXELS
from unmask.media.encode import write_video
from unmask.media.probe import probe
from unmask.media.video import Video, open_video

__all__ = ["MAX_PIXELS", "Video", "open_video", "probe", "write_video"]
