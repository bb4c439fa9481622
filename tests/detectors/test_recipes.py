"""The numbers of the five papers' recipes, as printed there."""

from __future__ import annotations

import pytest

from unmask.detectors import get_card

PRINTED: dict[str, dict[str, object]] = {
    # Section 3: "Training the forgery detector", "Preprocessing".
    "lipforensics": {
        "optimizer": "adam",
        "learning_rate": 2e-4,
        "batch_size": 32,
        "patience": 10,
        "monitor": "negative_loss",
        "sampling": "balanced",
        "augment": "crop_and_flip",
        "freeze": ("features.frontend", "features.trunk"),
        "schedule": "constant",
    },
    # Section 4: "Implementation and Hyper-Parameters".
    "two_branch": {
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "weight_decay": 1e-6,
        "schedule": "plateau",
        "schedule_epochs": 50,
        "schedule_factor": 0.1,
        "schedule_times": 3,
        "sampling": "stratified",
        "balance": (2.0, 0.5),
        "start": True,
        "monitor": "negative_loss",
    },
    # Section IV.B.
    "emd": {
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "batch_size": 16,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "epochs": 23,
        "warmup_epochs": 3,
        "monitor": "accuracy",
        "freeze": ("fer",),
    },
    # Section 4.2.
    "anti_compression": {
        "optimizer": "adam",
        "learning_rate": 1e-4,
        "batch_size": 32,
        "patience": 1,
        "monitor": "negative_loss",
        "twins": ("c23", "c40"),
    },
}
_SPATIO_TEMPORAL: dict[str, object] = {
    # Appendix A.4.
    "optimizer": "adam",
    "schedule": "plateau",
    "schedule_epochs": 5,
    "schedule_factor": 0.1,
    "augment": "one_of_eight",
    "cycle_methods": True,
    "monitor": "negative_loss",
}
for names, rate, batch, decay in (
    (("r3d18", "i3d", "r2plus1d18"), 1e-5, 4, 1e-7),
    (("efficientnet_b3_lstm", "efficientnet_b3_bigru"), 2e-6, 2, 1e-5),
    (("xception", "efficientnet_b3"), 1e-4, 8, 1e-5),
):
    for each in names:
        own = {"learning_rate": rate, "batch_size": batch, "weight_decay": decay}
        PRINTED[each] = _SPATIO_TEMPORAL | own

INPUTS: dict[str, dict[str, object]] = {
    "lipforensics": {"frames": 25, "size": (88, 88), "load_size": (96, 96), "color": "gray"},
    "two_branch": {"frames": 10, "stride": 7},
    "anti_compression": {"frames": 1, "margin": 1.3},
    "r3d18": {"frames": 16, "fps": 3.0, "size": (224, 224), "margin": 1.4, "hop": 16},
}


@pytest.mark.parametrize("name", PRINTED)
def test_recipes_are_the_papers(name: str):
    found = get_card(name).recipe.values()
    assert {key: found[key] for key in PRINTED[name]} == PRINTED[name]


@pytest.mark.parametrize("name", INPUTS)
def test_inputs_are_the_papers(name: str):
    spec = get_card(name).input
    assert {key: getattr(spec, key) for key in INPUTS[name]} == INPUTS[name]
