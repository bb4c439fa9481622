"""Identifiers are nouns of the field: some words that say nothing to a newcomer are refused."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SRC = Path(__file__).parents[1] / "src" / "unmask"

REFUSED = {
    "told": "what it is: notes, log, finished",
    "said": "lines, text",
    "lacking": "missing",
    "lacks": "missing",
    "what_lacks": "missing_reason",
    "why_not": "missing_reason",
    "How": "Hardware",
    "Keep": "what is kept: PrepareSpec, ClipSink",
    "Lesson": "TrainingJob",
    "Ran": "the noun of the result",
    "Wanted": "ScoreRequest",
}
"""Each word, and what to write instead."""


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a file defines or uses, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg, node.value.lineno
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.rpartition(".")[2], node.lineno


def refused_word(name: str) -> str | None:
    """The refused word that a name is, or holds between underscores."""
    words = (name.lstrip("_"), *name.split("_"))
    return next((word for word in words if word in REFUSED), None)


def refused_in(text: str) -> list[tuple[str, int]]:
    """The refused names of a file, with their lines."""
    return sorted(
        {(name, line) for name, line in identifiers(ast.parse(text)) if refused_word(name)}
    )


def test_the_rule_finds_every_kind_of_name() -> None:
    text = """
import x.lacks
class Wanted: ...
def why_not(told, *, lacking=1):
    said = self._told
    f(said=said, lacking_points=1, Keeper=2, unsaid=3)
"""
    assert {name for name, _ in refused_in(text)} == (
        {"lacks", "Wanted", "why_not", "told", "lacking", "said", "_told", "lacking_points"}
    )


def test_no_name_is_refused() -> None:
    found = [
        f"{file.relative_to(SRC)}:{line}: {name} (write: {REFUSED[refused_word(name) or '']})"
        for file in sorted(SRC.rglob("*.py"))
        for name, line in refused_in(file.read_text(encoding="utf-8"))
    ]
    assert found == [], "\n".join(found)
