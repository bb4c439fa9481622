"""H.264: a whole clip is encoded, see ``imaging.codecs.h264_stream``."""

from __future__ import annotations

from unmask.corruptions.registry import Corruption, register

register(
    Corruption(
        name="compression",
        parameter="constant rate factor of H.264",
        values=(30, 32, 35, 38, 40),
        draws="nothing",
        act=None,
        stream=6,
    )
)
