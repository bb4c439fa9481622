"""The shape of the house (shared/design/architecture.md, section 2), kept by its tests."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from unmask.detectors import list_detectors

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "unmask"
FILES = sorted(SRC.rglob("*.py"))

STAGES = {"media", "faces", "clips", "detectors", "verdict", "report"}
LEVELS = {
    0: {"errors", "calibration", "types", "_version"},
    1: {"media", "faces", "clips", "verdict", "report", "datasets", "corruptions", "blending"}
    | {"metrics", "nn", "losses"},
    2: {"detectors"},
    3: {"panel", "pipeline", "evidence", "prepared", "overlap"},
    4: {"train", "evaluate", "explain", "export"},
    5: {"batch", "serve", "minibench", "cli", "__main__"},
}
BELOW = {
    room: set().union(*(LEVELS[below] for below in range(level)))
    for level, rooms in LEVELS.items()
    for room in rooms
}
MAY_IMPORT = BELOW | {
    "types": {"errors", "calibration"},
    "calibration": set(),
    "detectors": LEVELS[0] | {"nn", "losses", "blending"},
    "panel": LEVELS[0] | {"detectors", "verdict"},
    "pipeline": LEVELS[0] | STAGES | {"panel"},
    "evidence": LEVELS[0] | STAGES,
    "prepared": LEVELS[0] | STAGES | {"datasets"},
    "overlap": LEVELS[0] | STAGES | {"datasets"},
    "cli": BELOW["cli"] | {"batch", "serve", "minibench"},
    "__main__": BELOW["__main__"] | {"cli"},
}

LOADED_LATER = {"unmask.train.class_module", "unmask.train.epochs", "unmask.train.module"}
"""Modules that import an optional package at once, because they define subclasses of its classes.

They are imported by functions alone, after ``import_optional`` has looked, or by each other.
"""

MODULE_OF = {"scikit-learn": "sklearn", "scikit-image": "skimage", "pre-commit": "pre_commit"}


def room_of(file: Path) -> str:
    """The package or module of the first level that a file belongs to; "" for the root."""
    first = file.relative_to(SRC).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def module_of(file: Path) -> str:
    parts = file.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imports_of(file: Path) -> Iterator[tuple[str, bool]]:
    """Dotted names that a file imports, and whether at once (not inside a function)."""

    def walk(node: ast.AST, at_once: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.Import):
                yield from ((alias.name, at_once) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{file}: relative import"
                yield from ((f"{child.module}.{alias.name}", at_once) for alias in child.names)
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                yield from walk(child, False)
            else:
                yield from walk(child, at_once and not is_function)

    return walk(ast.parse(file.read_text()), True)


def test_every_room_stands_in_the_table():
    rooms = {room_of(file) for file in FILES} - {""}
    assert rooms <= BELOW.keys()


@pytest.mark.parametrize("room", sorted({room_of(f) for f in FILES} - {""}))
def test_imports_point_down_the_table(room: str):
    allowed = MAY_IMPORT[room] | {room}
    for file in FILES:
        for name, _ in imports_of(file) if room_of(file) == room else ():
            package, _, rest = name.partition(".")
            if package == "unmask":
                assert rest.partition(".")[0] in allowed, f"{file.relative_to(SRC)}: {name}"


def test_the_lowest_level_needs_numpy_alone():
    for name in sorted(LEVELS[0]):
        found = {n.partition(".")[0] for n, _ in imports_of(SRC / f"{name}.py")}
        assert found - sys.stdlib_module_names <= {"numpy", "unmask"}


def optional_packages() -> set[str]:
    """What only the extras bring, by the name it is imported under."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(requirements: list[str]) -> set[str]:
        plain = (re.split(r"[^\w.-]", r)[0].lower() for r in requirements)
        return {MODULE_OF.get(n, n.replace("-", "_")) for n in plain if n != "unmask"}

    extras = set().union(*map(names, project["optional-dependencies"].values()))
    return extras - names(project["dependencies"])


def test_optional_packages_are_imported_by_the_function_that_needs_them():
    optional = optional_packages()
    assert {"lightning", "sklearn", "skimage", "h5py", "jsonschema"} <= optional
    for file in FILES:
        if module_of(file) in LOADED_LATER:
            continue
        for name, at_once in imports_of(file):
            is_late = not at_once or name.partition(".")[0] not in optional
            assert is_late, f"{file.relative_to(SRC)} imports {name} at once"


def test_modules_that_need_an_optional_package_are_loaded_by_functions_alone():
    importers = [
        (file, at_once)
        for file in FILES
        if module_of(file) not in LOADED_LATER
        for name, at_once in imports_of(file)
        for late in LOADED_LATER
        if name == late or name.startswith(late + ".")
    ]
    assert importers
    assert not any(at_once for _, at_once in importers)


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


@pytest.mark.parametrize("name", list_detectors())
def test_a_detector_is_named_in_its_own_file_alone(name: str):
    for file in FILES:
        if file == SRC / "detectors" / f"{name}.py":
            continue
        texts = {
            node.value
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert name not in texts, f"{file.relative_to(SRC)} names {name}"
        modules = {imported for imported, _ in imports_of(file)}
        home = f"unmask.detectors.{name}"
        assert not any(f"{m}.".startswith(f"{home}.") for m in modules), file.relative_to(SRC)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SRC)))
def test_files_and_functions_keep_their_budgets(file: Path):
    """Of a function its body counts, without the docstring."""
    text = file.read_text()
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            code = node.body[1:] if ast.get_docstring(node) else node.body
            length = (code[-1].end_lineno or 0) - code[0].lineno + 1 if code else 0
            assert length <= 50, f"{node.name}: {length} lines"


FORBIDDEN = {"utils", "util", "common", "core", "helpers", "helper", "base", "misc"}


def test_no_room_without_a_meaning():
    names = {part.removesuffix(".py") for f in FILES for part in f.relative_to(SRC).parts}
    assert not names & FORBIDDEN
