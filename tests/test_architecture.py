"""The shape of the house, kept by its tests. The table itself is tests/import_table.toml.

Every file is parsed once; a test lists all offenders, not the first.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from unmask.detectors import list_detectors

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "unmask"
TABLE: dict[str, Any] = tomllib.loads((ROOT / "tests" / "import_table.toml").read_text())
LEVELS: dict[str, list[str]] = {level["name"]: level["rooms"] for level in TABLE["levels"]}

LOADED_LATER = {"unmask.train.class_module", "unmask.train.epochs", "unmask.train.module"}
"""Modules that import an optional package at once, because they define subclasses of its classes.

They are imported by functions alone, after ``import_optional`` has looked, or by each other.
"""

MODULE_OF = {"scikit-learn": "sklearn", "scikit-image": "skimage", "pre-commit": "pre_commit"}


@dataclass(frozen=True, slots=True)
class Source:
    """What the tests read of a file.

    Attributes:
        path: below src/unmask, with forward slashes.
        room: its package or module of the first level; "" for unmask's own __init__.
        imports: dotted names, and whether they are imported at once (outside of functions).
        texts: the string literals.
        functions: name and number of lines of the body without the docstring.
    """

    path: str
    room: str
    module: str
    lines: int
    imports: tuple[tuple[str, bool], ...]
    texts: frozenset[str]
    functions: tuple[tuple[str, int], ...]


def read(file: Path) -> Source:
    below = file.relative_to(SRC)
    first = below.parts[0].removesuffix(".py")
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    constants = (node.value for node in nodes if isinstance(node, ast.Constant))
    functions = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return Source(
        path=below.as_posix(),
        room="" if first == "__init__" else first,
        module=".".join(["unmask", *below.with_suffix("").parts]).removesuffix(".__init__"),
        lines=len(text.splitlines()),
        imports=tuple(_imports(tree, True)),
        texts=frozenset(value for value in constants if isinstance(value, str)),
        functions=tuple((node.name, _length(node)) for node in functions),
    )


def _imports(node: ast.AST, at_once: bool) -> Iterator[tuple[str, bool]]:
    for child in ast.iter_child_nodes(node):
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.Import):
            yield from ((alias.name, at_once) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            yield from ((f"{module}.{alias.name}", at_once) for alias in child.names)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _imports(child, False)
        else:
            yield from _imports(child, at_once and not is_function)


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    code = function.body[1:] if ast.get_docstring(function) else function.body
    return (code[-1].end_lineno or 0) - code[0].lineno + 1 if code else 0


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    """Every file of src/unmask."""
    return [read(file) for file in sorted(SRC.rglob("*.py"))]


def allowed(room: str) -> set[str]:
    """The rooms that a room may import, itself among them."""

    def named(names: Sequence[str]) -> set[str]:
        return {room for name in names for room in LEVELS.get(name, [name])}

    names = list(LEVELS)
    level = next(name for name, rooms in LEVELS.items() if room in rooms)
    above: Sequence[str] = names[: names.index(level)]
    limits: Mapping[str, list[str]] = TABLE["may_import"]
    beside = TABLE["sideways"].get(room, [])
    return {room} | named(limits.get(room, limits.get(level, above))) | named(beside)


def test_every_room_stands_in_the_table(sources: list[Source]):
    known = {room for rooms in LEVELS.values() for room in rooms}
    unknown = sorted({source.room for source in sources} - known - {""})
    assert not unknown, f"give these rooms a level in tests/import_table.toml: {unknown}"


def test_the_table_names_rooms_and_levels_alone():
    rooms = [room for level in LEVELS.values() for room in level]
    assert len(rooms) == len(set(rooms))
    known = {*rooms, *LEVELS}
    for limits in (TABLE["may_import"], TABLE["sideways"]):
        assert limits.keys() <= known
        assert {name for names in limits.values() for name in names} <= known
    assert set(TABLE["detector_names"]["rooms"]) <= known


def test_imports_point_down_the_table(sources: list[Source]):
    offenders = []
    for source in sources:
        if source.room:
            may = allowed(source.room)
            for name, _ in source.imports:
                package, _, rest = name.partition(".")
                if package == "unmask" and rest.partition(".")[0] not in may:
                    offenders.append(f"{source.path} imports {name}")
    assert not offenders, "tests/import_table.toml forbids:\n" + "\n".join(offenders)


def test_no_import_is_relative(sources: list[Source]):
    assert [s.path for s in sources for name, _ in s.imports if name.startswith(".")] == []


def test_the_lowest_level_needs_numpy_alone(sources: list[Source]):
    known = sys.stdlib_module_names | {"numpy", "unmask"}
    offenders = [
        f"{source.path} imports {name}"
        for source in sources
        if source.room in LEVELS["nouns"]
        for name, _ in source.imports
        if name.partition(".")[0] not in known
    ]
    assert offenders == []


def optional_packages() -> set[str]:
    """What only the extras bring, by the name it is imported under."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(requirements: list[str]) -> set[str]:
        plain = (re.split(r"[^\w.-]", r)[0].lower() for r in requirements)
        return {MODULE_OF.get(n, n.replace("-", "_")) for n in plain if n != "unmask"}

    extras = set().union(*map(names, project["optional-dependencies"].values()))
    return extras - names(project["dependencies"])


def test_no_extra_is_empty():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [
        name for name, packages in project["optional-dependencies"].items() if not packages
    ] == []


def test_optional_packages_are_imported_by_the_function_that_needs_them(sources: list[Source]):
    optional = optional_packages()
    assert {"lightning", "sklearn", "skimage", "h5py", "jsonschema"} <= optional
    offenders = [
        f"{source.path} imports {name}"
        for source in sources
        if source.module not in LOADED_LATER
        for name, at_once in source.imports
        if at_once and name.partition(".")[0] in optional
    ]
    assert offenders == []


def test_modules_that_need_an_optional_package_are_loaded_by_functions_alone(
    sources: list[Source],
):
    importers = [
        (source.path, at_once)
        for source in sources
        if source.module not in LOADED_LATER
        for name, at_once in source.imports
        if any(name == late or name.startswith(f"{late}.") for late in LOADED_LATER)
    ]
    assert importers
    assert [path for path, at_once in importers if at_once] == []


HEAVY = {"torch", "torchvision", "timm", "cv2", "onnxruntime"}


@pytest.mark.parametrize(
    "what", ["import unmask", "import unmask.cli.main as m; m.main(['--help'])"]
)
def test_the_door_opens_without_torch_or_anything_optional(what: str):
    code = f"""
import sys
try:
    {what}
except SystemExit as error:
    assert not error.code
print("loaded:", *sorted(m.partition(".")[0] for m in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.rpartition("loaded:")[2].split())
    assert "unmask" in loaded
    assert not loaded & (HEAVY | optional_packages())


def test_a_detector_is_named_in_its_own_file_alone(sources: list[Source]):
    names = set(list_detectors())
    homes = {f"detectors/{name}.py": name for name in names}
    assert homes.keys() <= {source.path for source in sources}
    offenders = []
    for source in sources:
        if source.room in TABLE["detector_names"]["rooms"]:
            continue
        others = names - {homes.get(source.path)}
        offenders += [f"{source.path} names {name}" for name in sorted(others & source.texts)]
        parts = (imported.split(".") for imported, _ in source.imports)
        modules = {p[2] for p in parts if p[:2] == ["unmask", "detectors"] and len(p) > 2}
        offenders += [f"{source.path} imports {name}" for name in sorted(others & modules)]
    assert not offenders, "\n".join(offenders)


def test_files_keep_their_budgets(sources: list[Source]):
    budgets = TABLE["budgets"]

    def limit(source: Source) -> int:
        if source.path in budgets["data_files"]:
            return budgets["data_file_lines"]
        is_command = source.path.startswith("cli/commands/")
        return budgets["command_lines" if is_command else "file_lines"]

    over = [f"{s.path}: {s.lines} lines of {limit(s)}" for s in sources if s.lines > limit(s)]
    assert over == []


def test_functions_keep_their_budget(sources: list[Source]):
    limit = TABLE["budgets"]["function_lines"]
    over = [
        f"{source.path}: {name} has {lines} lines of {limit}"
        for source in sources
        for name, lines in source.functions
        if lines > limit
    ]
    assert over == []


FORBIDDEN = {"utils", "util", "common", "core", "helpers", "helper", "base", "misc"}


def test_no_room_without_a_meaning(sources: list[Source]):
    names = {part.removesuffix(".py") for s in sources for part in s.path.split("/")}
    assert not names & FORBIDDEN
