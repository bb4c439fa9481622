"""What a detector's score rests on: where, when, and in which order."""

from unmask.explain.cam import grad_cam, own_heat
from unmask.explain.methods import METHODS, Method, methods_of
from unmask.explain.moments import frame_occlusion, frame_saliency
from unmask.explain.occlusion import occlusion
from unmask.explain.order import order_logits
from unmask.explain.peak import peak
from unmask.explain.run import Explanations, explain

__all__ = [
    "METHODS",
    "Explanations",
    "Method",
    "explain",
    "frame_occlusion",
    "frame_saliency",
    "grad_cam",
    "methods_of",
    "occlusion",
    "order_logits",
    "own_heat",
    "peak",
]
