"""What the guides name exists: commands, detectors, layouts, settings, tags, pretraining, files."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import typer.main

from unmask.cli.main import app
from unmask.datasets import list_datasets
from unmask.datasets.affectnet import EXPRESSIONS
from unmask.detectors import Card, Weights, build, default_detectors, get_card, list_detectors
from unmask.errors import MissingDependencyError
from unmask.faces import POINT_WEIGHTS
from unmask.papers.registry import PROTOCOLS
from unmask.train import apply_settings
from unmask.train.data import prepare_spec_for
from unmask.train.settings import apply_pretraining_settings

ROOT = Path(__file__).parent.parent
NAMES = ("datasets", "reproduce", "training", "weights")
GUIDES = {name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in NAMES}
FF_METHODS = {"Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter"}
PAPERS = {"lipforensics", "two_branch", "emd", "anti_compression", "spatio_temporal"}

INSIDE = {"all_c23.p": "faceforensics++_models.zip"}
"""Files that a card knows only by the archive they come in."""

PLACEHOLDERS = {"NAME"}


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _lines(text: str) -> list[str]:
    """Command lines of ``unmask``: in bash blocks, and shown with their output."""
    lines = [line for block in _blocks(text) for line in block.splitlines()]
    lines += re.findall(r"^    \$ (unmask .*)$", text, re.MULTILINE)
    return [line for line in lines if line.startswith("unmask ")]


PAGES = sorted((ROOT / "docs/reproduce").glob("*.md"))
TEXTS = [*GUIDES.values(), *(page.read_text(encoding="utf-8") for page in PAGES)]
LINES = [line for text in TEXTS for line in _lines(text)]
TRAININGS = [line for line in LINES if line.startswith("unmask train ")]
DETECTOR_TRAININGS = [line for line in TRAININGS if not line.startswith("unmask train NAME ")]
SETTINGS = [
    pytest.param(row[0], row[1], id=f"{row[0]}: {row[1][:60]}")
    for row in re.findall(r"^\| `(\w+)` \|.*\| ([^|]*--set [^|]*) \|$", GUIDES["training"], re.M)
]


@dataclasses.dataclass(frozen=True)
class Parsed:
    """A command line as typer reads it: the command's words and its parameters."""

    name: str
    values: dict[str, Any]


@cache
def _parse(line: str) -> Parsed:
    """Reads a command line without running it; raises if it is wrong."""
    words = shlex.split(line, comments=True)[1:]
    words = [default_detectors()[0] if word in PLACEHOLDERS else word for word in words]
    command: Any = typer.main.get_command(app)
    path: list[str] = []
    while getattr(command, "commands", None):
        word = words.pop(0)
        if word not in command.commands:
            raise LookupError(f"no such command: {' '.join([*path, word])}")
        path.append(word)
        command = command.commands[word]
    context = command.make_context(path[-1], words)
    return Parsed(" ".join(path), context.params)


def _card_of(line: str) -> Card:
    """The card that a training line asks for, its settings applied."""
    values = _parse(line).values
    card = get_card(values["name"])
    settings = values["settings"] or ()
    if values["pretraining"] is None:
        return apply_settings(card, settings)
    return apply_pretraining_settings(card, card.pretraining[values["pretraining"]], settings)


def _named_files(weights: Weights) -> set[str]:
    """Names of published files on a card's entry: in its text and its address."""
    text = f"{weights.trained_on} {weights.url or ''}"
    return set(re.findall(r"[\w+.-]+\.(?:pth\.tar|pth|pt|h5|zip)\b", text))


def test_the_guides_have_commands() -> None:
    assert len(TRAININGS) > 60
    assert {_parse(line).name for line in LINES} >= {
        *("train", "prepare", "scan", "datasets list", "datasets check"),
        *("weights list", "weights import", "weights verify", "weights download"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_command_line_parses(name: str) -> None:
    lines = _lines(GUIDES[name])
    assert lines
    for line in lines:
        assert _parse(line).name


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("unmask trian x", "no such command: trian"),
        ("unmask train emd --data D --sett a=1", "No such option: --sett"),
        ("unmask train emd", "Missing parameter: data"),
    ],
)
def test_a_wrong_command_line_would_be_noticed(line: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        _parse(line)


def test_detectors_layouts_and_stages_in_commands_exist() -> None:
    detectors, layouts = {*list_detectors(), *PLACEHOLDERS}, set(list_datasets())
    for line in LINES:
        parsed = _parse(line)
        values = parsed.values
        if parsed.name in ("train", "weights import"):
            assert values["name"] in detectors, line
        if parsed.name == "train":
            assert values["dataset"] in (None, *layouts), line
            assert values["pretraining"] in (None, *_stages_of(values["name"])), line
        if parsed.name == "prepare":
            assert values["layout"] in layouts, line
            assert values["detector"] in (None, *detectors), line
        if parsed.name == "datasets check":
            assert values["name"] in layouts, line
        if parsed.name == "scan":
            assert set(values["detectors"] or ()) <= detectors, line


def _stages_of(name: str) -> tuple[str, ...]:
    """The pretraining of a detector; none of a placeholder."""
    return () if name in PLACEHOLDERS else tuple(get_card(name).pretraining)


def test_methods_and_levels_in_commands_exist() -> None:
    classes = {"affectnet": set(EXPRESSIONS), "faceforensics": FF_METHODS}
    checked = 0
    for line in LINES:
        values = _parse(line).values
        methods = set(values.get("methods") or ())
        levels = set(values.get("compressions") or ())
        layout = values.get("dataset") or values.get("layout")
        if values.get("pretraining"):
            layout = get_card(values["name"]).pretraining[values["pretraining"]].layout
        if methods and _parse(line).name != "explain":  # a method of explaining is no forgery
            assert methods <= classes[str(layout)], line
            checked += 1
        assert levels <= {"raw", "c23", "c40"}, line
    assert checked > 40


def test_datasets_page_names_every_method_and_expression() -> None:
    assert all(f"`{name}`" in GUIDES["datasets"] for name in (*FF_METHODS, *EXPRESSIONS))


@pytest.mark.parametrize("line", DETECTOR_TRAININGS)
def test_settings_of_training_commands_are_taken(line: str) -> None:
    card = _card_of(line)
    values = _parse(line).values
    if (
        card.recipe.sampling.needs_masks
        and not card.recipe.synthesis.kind
        and values["pretraining"] is None
    ):
        assert "FaceShifter" not in (values["methods"] or ()), "it has no masks"
    if card.recipe.sampling.twins and values["dataset"] == "faceforensics":
        assert set(card.recipe.sampling.twins) <= set(values["compressions"]), (
            "pairs need both levels"
        )


@pytest.mark.parametrize(("name", "cell"), SETTINGS)
def test_settings_of_the_ablations_build_a_network_with_the_parts_they_name(
    name: str, cell: str
) -> None:
    codes = [code for code in re.findall(r"`([^`]*)`", cell) if code.startswith("--set")]
    assert codes
    for code in codes:
        card = apply_settings(get_card(name), [w for w in shlex.split(code) if w != "--set"])
        try:
            _check_parts(card)
        except MissingDependencyError as lack:
            pytest.skip(str(lack))


def test_networks_of_training_commands_have_the_parts_that_recipes_name() -> None:
    lines = [line for line in DETECTOR_TRAININGS if not _parse(line).values["pretraining"]]
    changed = {
        (card.name, repr(card.args), repr(card.recipe.optimizer.learning_rates)): card
        for card in map(_card_of, lines)
        if card.args != get_card(card.name).args
    }
    checked = 0
    for card in changed.values():
        with contextlib.suppress(MissingDependencyError):
            _check_parts(card)
            checked += 1
    assert checked >= 8


def _check_parts(card: Card) -> None:
    with torch.device("meta"):
        net = build(card)
    parts = {name for name, _ in net.named_modules()} | {n for n, _ in net.named_parameters()}
    recipe = card.recipe
    assert {
        *recipe.freeze,
        *recipe.optimizer.learning_rates,
        *recipe.schedule.warmup_parts,
        *recipe.adversary.parts,
    } <= (parts)


def test_a_setting_that_is_not_there_would_be_noticed() -> None:
    with pytest.raises(Exception, match="Unknown setting 'fusoin'"):
        _card_of("unmask train two_branch --data D --set fusoin=sum")


def test_prepare_commands_of_the_guides_serve_their_detector() -> None:
    checked = 0
    for line in LINES:
        parsed = _parse(line)
        if parsed.name != "prepare" or parsed.values["detector"] is None:
            continue
        values = parsed.values
        names = ("sequences", "frames", "fps", "stride", "is_native")
        spec = prepare_spec_for(get_card(values["detector"])).changed(
            **{n: values[n] for n in names}
        )
        assert spec.serves(get_card(values["detector"]).input), line
        checked += 1
    assert checked >= 7


def test_datasets_page_says_how_much_is_kept() -> None:
    still, moving = (
        prepare_spec_for(get_card("xception")),
        prepare_spec_for(get_card("lipforensics")),
    )
    assert f"{still.sequences} single moments" in GUIDES["datasets"]
    assert f"{moving.sequences} sequences" in GUIDES["datasets"]
    assert f"| `--min-face PX` | {still.min_face_px:g} |" in GUIDES["datasets"]
    assert f"{still.context} boxes wide" in GUIDES["datasets"]


def test_datasets_page_has_every_layout_with_its_tree() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", GUIDES["datasets"], re.MULTILINE)
    assert sorted(rows) == sorted(list_datasets())
    for name in rows:
        assert re.search(rf"^### (.* )?{name}( |$)", GUIDES["datasets"], re.M), name


def test_training_page_has_a_command_and_a_stage_row_for_everything() -> None:
    first = _blocks(GUIDES["training"])[1]
    assert sorted(_parse(line).values["name"] for line in first.splitlines()) == list_detectors()
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|.*\| `(\w+)` \|", GUIDES["training"], re.M)
    pretraining = {
        (n, s, c.layout) for n in list_detectors() for s, c in get_card(n).pretraining.items()
    }
    assert set(rows) == pretraining


def test_weights_table_has_every_tag_with_its_hash() -> None:
    table = GUIDES["weights"].partition("## Which files fit")[2].partition("\n## ")[0]
    rows = [[cell.strip(" `") for cell in row.split("|")[1:-1]] for row in table.splitlines()]
    rows = [row for row in rows if len(row) == 6 and row[0] in list_detectors()]
    listed = {(row[0], row[1]): (row[2], row[5]) for row in rows}
    entries = {(n, entry.tag): entry for n in list_detectors() for entry in get_card(n).weights}
    assert listed.keys() == entries.keys()
    for key, (files, sha256) in listed.items():
        entry = entries[key]
        if entry.sha256:
            assert sha256 == entry.sha256
        else:
            assert sha256 in ("not known", "none")
        named = set(re.findall(r"[\w+.-]+\.(?:pth|pt|h5|zip)\b", files))
        assert named <= _named_files(entry), key


def test_every_published_file_in_the_guide_is_named_by_a_card() -> None:
    known = {
        name for n in list_detectors() for w in get_card(n).weights for name in _named_files(w)
    }
    known |= {Path(POINT_WEIGHTS.url).name}
    text = re.sub(r"^    .*$", "", GUIDES["weights"], flags=re.MULTILINE)
    named = set(
        re.findall(r"(?<![\w.])[\w+-]+(?:\.[\w+-]+)*\.(?:pth\.tar|pth|pt|h5|zip|p)\b", text)
    )
    assert len(named) >= 16
    for name in named:
        assert name in known or INSIDE.get(name) in known, name
    assert POINT_WEIGHTS.sha256 in text and POINT_WEIGHTS.url.rpartition("/")[0] in text


def test_import_commands_name_a_file_of_the_detector() -> None:
    names = set()
    for line in _lines(GUIDES["weights"]):
        parsed = _parse(line)
        if parsed.name != "weights import" or parsed.values["file"] == Path("FILE"):
            continue
        if line in re.findall(r"^    \$ (unmask .*)$", GUIDES["weights"], re.M):
            continue  # shows what is refused
        card, file = get_card(parsed.values["name"]), parsed.values["file"]
        files = {name for entry in card.weights for name in _named_files(entry)}
        is_start = file.suffix == ".safetensors" and any(w.is_from_detector for w in card.weights)
        assert is_start or file.name in files or INSIDE.get(file.name) in files, line
        names.add(card.name)
    imported = {
        n
        for n in list_detectors()
        if any(w.importer and not w.in_package for w in get_card(n).weights)
    }
    assert names == imported


def test_addresses_of_torch_files_are_those_of_the_installed_packages() -> None:
    from timm.models import get_pretrained_cfg
    from torchvision.models import DenseNet121_Weights
    from torchvision.models.video import R2Plus1D_18_Weights, R3D_18_Weights

    for entry in (DenseNet121_Weights.DEFAULT, R2Plus1D_18_Weights.DEFAULT, R3D_18_Weights.DEFAULT):
        folder, _, name = entry.url.rpartition("/")
        assert f"`{name}`" in GUIDES["weights"] and f"`{folder}/`" in GUIDES["weights"]
    config = get_pretrained_cfg("efficientnet_b3")
    assert config is not None
    assert str(config.url).endswith("/v0.1-weights/efficientnet_b3_ra2-cf984f9c.pth")


def test_hours_follow_from_their_rows() -> None:
    text = GUIDES["reproduce"]
    rows = re.findall(
        r"^\| `\w+`.*\| ([\d,]+) \| ([\d.]+) \| ([\d.]+) \| (\d+) \| (\d+) \| ([\d.]+) \|$",
        text,
        re.MULTILINE,
    )
    assert len(rows) >= 12
    for row in rows:
        clips, gflop, make_s, rate, epochs, hours = (float(c.replace(",", "")) for c in row)
        clip_s = max(gflop / 1000 / rate, make_s / 8)
        reckoned = clips * epochs * clip_s / 3600
        assert hours == pytest.approx(reckoned, rel=0.03), row
    assert "Not measured." in text


def test_tables_are_named_as_the_evaluation_knows_them() -> None:
    named = re.findall(r"`paper:(\w+/[\w-]+)`", GUIDES["reproduce"])
    assert set(named) <= {protocol.name for protocol in PROTOCOLS}
    assert {name.partition("/")[0] for name in named} == PAPERS
    assert len(set(named)) >= 25
