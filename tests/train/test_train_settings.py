from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.detectors import Card, get_card, list_detectors
from unmask.errors import UnknownNameError, UsageError
from unmask.train import apply_settings
from unmask.train.settings import describe


def test_fields_of_recipe_input_and_network_can_be_set(toy: Card):
    card = apply_settings(
        toy,
        [
            "epochs=7",
            "learning_rate=1e-4",
            "optimizer=sgd",
            "freeze=('body',)",
            "learning_rates={'head': 0.1}",
            "synthesize=none",
            "steps_per_epoch=None",
            "gradient_clip=1",
            "seed=0",
            "input.size=(64, 48)",
            "input.fps=12",
            "width=8",
        ],
    )
    recipe = card.recipe
    assert (recipe.schedule.epochs, recipe.optimizer.learning_rate, recipe.optimizer.kind) == (
        7,
        1e-4,
        "sgd",
    )
    assert (recipe.freeze, dict(recipe.optimizer.learning_rates)) == (("body",), {"head": 0.1})
    assert (
        recipe.synthesis.kind,
        recipe.schedule.steps_per_epoch,
        recipe.optimizer.gradient_clip,
    ) == (None, None, 1)
    assert (card.input.size, card.input.fps, card.args["width"]) == ((64, 48), 12, 8)


def test_the_card_that_was_given_stays_as_it_is(toy: Card):
    apply_settings(toy, ["epochs=7", "width=8"])
    assert toy.recipe.schedule.epochs == 2
    assert toy.args == {"width": 4}
    assert apply_settings(toy, []) is toy


def test_the_last_of_two_settings_counts(toy: Card):
    assert apply_settings(toy, ["epochs=7", "epochs=9"]).recipe.schedule.epochs == 9


@given(rate=st.floats(1e-9, 10))
def test_any_rate_comes_through(rate: float):
    card = apply_settings(get_card(list_detectors()[0]), [f"learning_rate={rate!r}"])
    assert card.recipe.optimizer.learning_rate == rate


def test_without_an_equals_sign(toy: Card):
    with pytest.raises(UsageError, match="Cannot use the setting 'epochs': expected key=value"):
        apply_settings(toy, ["epochs"])


@pytest.mark.parametrize("key", ["epoch", "loss", "input.sizes", "width2", "", "name"])
def test_an_unknown_key_names_the_known_ones(toy: Card, key: str):
    with pytest.raises(UnknownNameError, match=rf"Unknown setting '{key}'\..*Known: .*epochs"):
        apply_settings(toy, [f"{key}=1"])


def test_a_near_miss_is_guessed(toy: Card):
    with pytest.raises(UnknownNameError, match="Did you mean 'epochs'"):
        apply_settings(toy, ["epoch=1"])


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("epochs=many", "a whole number"),
        ("epochs=2.5", "a whole number"),
        ("epochs=none", "a whole number"),
        ("epochs=true", "a whole number"),
        ("epochs=0", "a whole number of at least 1"),
        ("epochs=-1", "a whole number of at least 1"),
        ("steps_per_epoch=0", "a whole number of at least 1"),
        ("steps_per_epoch=x", "a whole number or none"),
        ("seed=-1", "a whole number of at least 0"),
        ("learning_rate=fast", "a number"),
        ("gradient_clip=x", "a number or none"),
        ("optimizer=adamx", "'adam', 'adamw', 'sgd'"),
        ("schedule=3", "'constant', 'cosine', 'plateau'"),
        ("monitor=recall", "'auc', 'accuracy', 'pair_accuracy', 'negative_loss'"),
        ("freeze=['body']", "tuple"),
        ("betas=(0.9,)", "tuple"),
        ("learning_rates=3", "Mapping"),
        ("learning_rates={'head': 'x'}", "Mapping"),
        ("augment=3", "a text or none"),
        ("input.size=64", "tuple"),
        ("input.size=(64, 'x')", "tuple"),
        ("input.region=nose", "'face', 'mouth'"),
        ("width=wide", "a int like 4, got a str"),
        ("width=none", "a int like 4, got a NoneType"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(toy: Card, setting: str, expected: str):
    key = setting.partition("=")[0]
    with pytest.raises(UsageError, match=rf"Cannot set {key}=") as caught:
        apply_settings(toy, [setting])
    assert expected in str(caught.value)


@pytest.mark.parametrize("name", list_detectors())
def test_every_card_takes_its_own_values_and_can_be_described(name: str):
    card = get_card(name)
    settings = [
        f"{key}={value!r}"
        for key, value in card.recipe.values().items()
        if key not in ("loss", "mixup", "learning_rates")
    ]
    assert apply_settings(card, settings) == card
    stored = json.loads(json.dumps(describe(card)))
    assert stored["recipe"]["epochs"] == card.recipe.schedule.epochs
    assert isinstance(stored["recipe"]["loss"], str)
    assert tuple(stored["input"]["size"]) == card.input.size
    assert stored["args"] == json.loads(json.dumps(dict(card.args)))


def test_the_keys_of_earlier_versions_are_all_known(toy: Card):
    """Records of runs, checkpoints and commands in papers' notes hold them."""
    keys = [
        "optimizer",
        "learning_rate",
        "learning_rates",
        "betas",
        "eps",
        "momentum",
        "weight_decay",
        "batch_size",
        "epochs",
        "steps_per_epoch",
        "accumulate",
        "schedule",
        "schedule_epochs",
        "schedule_factor",
        "schedule_times",
        "patience",
        "freeze",
        "warmup_epochs",
        "warmup_parts",
        "augment",
        "sampling",
        "balance",
        "cycle_methods",
        "twins",
        "needs_masks",
        "synthesize",
        "mix",
        "codecs",
        "start",
        "starts_after_weights",
        "validation_pairs",
        "monitor",
        "gradient_clip",
        "separation_weight",
        "precision",
        "seed",
        "adversary",
        "adversary_steps",
    ]
    values = toy.recipe.values()
    assert set(keys) <= values.keys()
    assert apply_settings(toy, [f"{key}={values[key]!r}" for key in keys]) == toy


def test_methods_that_earlier_settings_named_are_found_by_type(toy: Card):
    assert apply_settings(toy, ["start=none"]).recipe.start is False
    assert apply_settings(toy, ["start=start_from_changes"]).recipe.start is True
    assert apply_settings(toy, ["adversary_step=none"]) == toy
    with pytest.raises(UnknownNameError, match="Unknown setting 'after_step'"):
        apply_settings(toy, ["after_step=none"])


def test_none_is_a_text_where_the_input_knows_it_by_that_name():
    card = apply_settings(get_card("meso4"), ["input.align=none", "input.fps=none"])
    assert card.input.align == "none"
    assert card.input.fps is None
