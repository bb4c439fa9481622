"""What others may build on: changing it means changing tests/public_api.json, knowingly."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from pathlib import Path

import pytest

import unmask

LISTED: dict[str, list[str]] = json.loads(Path(__file__).with_name("public_api.json").read_text())
PACKAGES = ["unmask"] + [
    f"unmask.{module.name}" for module in pkgutil.iter_modules(unmask.__path__) if module.ispkg
]


def public_names(package: str) -> list[str]:
    return sorted(getattr(importlib.import_module(package), "__all__", []))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_is_public(package: str):
    assert public_names(package) == LISTED.get(package, [])


@pytest.mark.parametrize("package", PACKAGES)
def test_at_most_fifteen_names_and_each_is_there(package: str):
    names = public_names(package)
    assert len(names) == len(set(names)) <= 15
    module = importlib.import_module(package)
    assert all(hasattr(module, name) for name in names)


def test_nothing_is_listed_that_is_not_there():
    assert LISTED.keys() <= set(PACKAGES)


def test_the_promised_calls():
    def parameters(function: object) -> list[str]:
        return list(inspect.signature(function).parameters)  # type: ignore[arg-type]

    assert parameters(unmask.scan)[:3] == ["path", "detectors", "device"]
    assert parameters(unmask.list_detectors) == []
    assert parameters(unmask.load_detector) == ["name", "weights", "device"]
    assert parameters(unmask.import_weights) == [*("name", "path", "out", "args", "accept_license")]


def test_public_functions_and_classes_are_documented():
    for package, names in LISTED.items():
        for name in names:
            thing = getattr(importlib.import_module(package), name)
            if inspect.isfunction(thing) or inspect.isclass(thing):
                assert inspect.getdoc(thing), f"{package}.{name}"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'unmask' has no attribute 'nothing'"):
        unmask.nothing  # noqa: B018
