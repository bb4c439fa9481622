"""``--accept-license`` from the file to the report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

import toy_detectors
from unmask.detectors import Weights, detector
from weights_server import WeightsServer

NAME = "bright"
LICENSE = "CC BY-NC 4.0 (non-commercial)"
BODY = json.dumps({"gain": 1.0, "offset": 0.0}).encode()


def read_published(path: Path) -> Mapping[str, Tensor]:
    return {key: torch.tensor(value) for key, value in json.loads(path.read_text()).items()}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))
    toy_detectors.own_registry(monkeypatch)
    return tmp_path / "cache"


def register(url: str | None = None) -> None:
    """A detector with one set of weights, which is not for commercial use."""
    entry = Weights(
        tag="paper",
        url=url,
        sha256=hashlib.sha256(BODY).hexdigest(),
        license=LICENSE,
        trained_on="paper data",
        importer=read_published,
        is_non_commercial=True,
        licensor="Ada",
    )
    card = replace(toy_detectors.register(NAME), weights=(entry,))
    detector(card)(type("Bright", (toy_detectors.Bright,), {"__module__": toy_detectors.__name__}))


@pytest.fixture
def published(tmp_path: Path) -> Path:
    register()
    path = tmp_path / "paper.json"
    path.write_bytes(BODY)
    return path


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with WeightsServer(BODY, "paper.json") as server:
        register(server.url)
        yield server


def test_import_is_refused_without_it(cli, published: Path, tmp_path: Path):
    out = tmp_path / "x.safetensors"
    ran = cli("weights", "import", NAME, published, "-o", out)
    assert ran.code == 1
    assert f"their license is {LICENSE}, set by Ada." in ran.error
    assert "run again with --accept-license" in ran.error
    assert not out.exists()


def test_report_names_the_license(cli, published: Path, tmp_path: Path, portrait_video: Path):
    out = tmp_path / "x.safetensors"
    assert cli("weights", "import", NAME, published, "-o", out, "--accept-license").code == 0
    folder = tmp_path / "report"
    ran = cli("scan", portrait_video, "-d", NAME, "-w", f"{NAME}={out}", "-o", folder)
    assert ran.code == 0
    assert f"  Weights of {NAME} are not for commercial use: {LICENSE}\n" in ran.out
    (report,) = folder.rglob("*.json")
    (use,) = json.loads(report.read_text())["detectors"]
    assert (use["license"], use["is_non_commercial"]) == (LICENSE, True)
    (page,) = folder.rglob("*.html")
    assert f"{LICENSE}<br><strong>Not for commercial use.</strong>" in page.read_text()


def test_every_command_refuses_a_file_without_a_record(cli, tmp_path: Path, portrait_video: Path):
    register()
    file = toy_detectors.weights_file(tmp_path / "old.safetensors", NAME, license=LICENSE)
    given = ("-w", f"{NAME}={file}")
    for words in (
        ("scan", portrait_video, "-d", NAME, *given),
        ("explain", portrait_video, "-d", NAME, *given, "-o", tmp_path / "explained"),
    ):
        ran = cli(*words)
        assert ran.code == 1
        assert "has no record that you accepted it" in ran.error
        assert f"unmask weights import {NAME} FILE -o NEW --accept-license" in ran.error


def test_download_asks_too_and_then_stays_quiet(cli, server: WeightsServer, cache: Path):
    ran = cli("weights", "download", NAME)
    assert ran.code == 1
    assert f"unmask weights download {NAME} --tag paper --accept-license" in ran.error
    assert server.requests == 0
    ran = cli("weights", "download", NAME, "--accept-license")
    file = next(cache.glob("*.safetensors"))
    assert (ran.code, ran.out) == (0, f"{file}\n")
    again = cli("weights", "download", NAME)
    assert (again.code, again.out, server.requests) == (0, f"{file}\n", 1)


def test_list_and_describe_say_what_to_expect(cli, published: Path):
    rows = json.loads(cli("weights", "list", "--json").out)
    told = {(row["detector"], row["tag"]): row["is_non_commercial"] for row in rows}
    assert told[(NAME, "paper")]
    assert not told[("landmarks", "fan")]
    assert f"unmask weights import {NAME} FILE --accept-license" in cli("describe", NAME).out
