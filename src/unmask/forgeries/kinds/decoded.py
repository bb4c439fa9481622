"""Pictures through a small convolutional autoencoder that ships with the package."""

from __future__ import annotations

from unmask.forgeries.decoders import decoded
from unmask.forgeries.registry import kind
from unmask.forgeries.traced import everywhere, on_face

kind("the face through a small convolutional autoencoder", name="decoded")(on_face(decoded))
kind("the whole picture through the convolutional autoencoder", name="decoded_everywhere")(
    everywhere(decoded)
)
