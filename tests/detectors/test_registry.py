from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from unmask.detectors import (
    Card,
    Output,
    Paper,
    Recipe,
    Target,
    build,
    detector,
    get_card,
    list_detectors,
)
from unmask.errors import UnknownNameError
from unmask.types import InputSpec

pytestmark = pytest.mark.usefixtures("own_names")


def loss(output: Output, target: Target) -> Tensor:
    return (output.logit - target.label).square().mean()


CARD = Card(
    name="blank",
    summary="Answers with one number.",
    paper=Paper(title="None", authors="None", venue="None", year=2026, url="https://example.org"),
    input=InputSpec(size=(8, 8)),
    recipe=Recipe(loss=loss),
    args={"start": 2.0},
)


class Blank(nn.Module):
    def __init__(self, start: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(start))

    def forward(self, clips: Tensor) -> Output:
        return Output(logit=self.value.expand(len(clips)))


def test_names_are_sorted_files_without_underscore():
    names = list_detectors()
    assert names == sorted(names)
    assert {"meso4", "mesoinception4"} <= set(names)
    assert not [name for name in names if name.startswith("_")]


def test_registered_class_is_listed_and_built_with_its_args():
    detector(CARD)(Blank)
    assert "blank" in list_detectors()
    assert get_card("blank") is CARD
    net = CARD.build()
    assert net.training
    assert net(torch.zeros(3, 3, 1, 8, 8)).logit.tolist() == [2.0, 2.0, 2.0]


def test_changed_card_builds_the_changed_network():
    detector(CARD)(Blank)
    changed = dataclasses.replace(CARD, args={"start": 5.0})
    net = build(changed)
    assert net.value.item() == 5.0
    assert CARD.build().value.item() == 2.0


def test_unknown_name_suggests_the_closest():
    with pytest.raises(UnknownNameError) as caught:
        get_card("mezo4")
    known = ", ".join(list_detectors())
    assert str(caught.value) == (f"Unknown detector 'mezo4'. Did you mean 'meso4'? Known: {known}.")


def test_unknown_name_without_a_close_one_only_lists():
    with pytest.raises(UnknownNameError) as caught:
        get_card("zzz")
    assert str(caught.value) == f"Unknown detector 'zzz'. Known: {', '.join(list_detectors())}."


def test_unknown_name_may_not_be_a_path_or_a_private_module():
    for name in ("_card", "../meso4", "", "meso4.py"):
        with pytest.raises(UnknownNameError):
            get_card(name)


def test_card_named_unlike_its_file_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Blank, "__module__", "unmask.detectors.other")
    with pytest.raises(ValueError, match=r"other\.py is named 'blank', expected 'other'"):
        detector(CARD)(Blank)


def test_name_taken_by_another_module_is_refused(monkeypatch: pytest.MonkeyPatch):
    detector(CARD)(Blank)
    monkeypatch.setattr(Blank, "__module__", "elsewhere")
    other = type("Blank", (nn.Module,), {"__module__": "here"})
    with pytest.raises(ValueError, match="'blank' is already defined in elsewhere"):
        detector(CARD)(other)


def test_listing_does_not_import_torch():
    code = (
        "import sys, unmask; names = unmask.list_detectors(); "
        "print(len(names) >= 2, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
