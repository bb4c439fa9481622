"""Which adapters there are: every module of this folder without a leading underscore."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from unmask.datasets._adapter import Adapter
from unmask.errors import UnknownNameError, explain_unknown

_PACKAGE = "unmask.datasets"


@cache
def adapters() -> dict[str, Adapter]:
    """All adapters by name, sorted."""
    package = importlib.import_module(_PACKAGE)
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"{_PACKAGE}.{n}") for n in names if n[0] != "_"]
    found = [adapter for module in modules for adapter in module.ADAPTERS]
    return {adapter.name: adapter for adapter in sorted(found, key=lambda adapter: adapter.name)}


def list_datasets() -> list[str]:
    """Names that ``read_dataset`` knows, sorted."""
    return list(adapters())


def get_adapter(name: str) -> Adapter:
    """The adapter of a name.

    Raises:
        UnknownNameError: there is none; the message lists the known ones.
    """
    known = adapters()
    if name not in known:
        raise UnknownNameError(explain_unknown("data set", name, list(known)))
    return known[name]
