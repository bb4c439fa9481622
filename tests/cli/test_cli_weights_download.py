"""``unmask weights download`` against a web server on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from unmask.faces import POINT_WEIGHTS
from unmask.weights import fetch as fetch_weights
from weights_server import WeightsServer

BODY = b"points " * 1000


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    """The published file of the points lies on this server."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with WeightsServer(BODY, "2DFAN4.pth.tar") as server:
        entry = POINT_WEIGHTS._replace(url=server.url, sha256=hashlib.sha256(BODY).hexdigest())
        monkeypatch.setattr(fetch_weights, "POINT_WEIGHTS", entry)
        yield server


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_landmarks_are_fetched_checked_listed_and_not_fetched_again(cli, server, cache):
    def row() -> dict[str, object]:
        return json.loads(cli("weights", "list", "--json").out)[-1]

    assert (row()["detector"], row()["state"], row()["path"]) == ("landmarks", "to download", None)
    ran = cli("weights", "download", "landmarks")
    file = cache / "landmarks-2DFAN4-11f355bf06.pth.tar"
    assert (ran.code, ran.out) == (0, f"{file}\n")
    assert file.read_bytes() == BODY
    for told in (server.url, "BSD-3-Clause"):
        assert told in ran.err
    assert (row()["state"], row()["path"]) == ("in cache", str(file))
    assert cli("weights", "download", "landmarks").out == f"{file}\n"
    assert server.requests == 1
    assert cli("weights", "verify", "landmarks").out == f"landmarks:fan  ok  {file}\n"


def test_landmarks_with_another_hash_are_refused_and_not_kept(cli, server, cache):
    server.body = b"something else"
    ran = cli("weights", "download", "landmarks")
    assert ran.code == 1
    got, expected = (hashlib.sha256(b).hexdigest()[:8] for b in (server.body, BODY))
    told = f"is not the published file: sha256 is {got}…, expected {expected}…."
    assert told in ran.err
    assert "put it at" in ran.err
    assert "weights import" not in ran.err
    assert list(cache.iterdir()) == []


def test_damaged_landmarks_in_the_cache_are_told(cli, server, cache):
    cli("weights", "download", "landmarks")
    (file,) = cache.iterdir()
    file.write_bytes(b"half a file")
    for command in ("download", "verify"):
        ran = cli("weights", command, "landmarks")
        assert ran.code == 1
        assert f"Weights '{file}' are damaged" in ran.error
        assert "Delete the file and run again." in ran.error
    assert server.requests == 1


def test_a_detectors_weights_are_found_where_they_are(cli, cache, default_detector):
    ran = cli("weights", "download", default_detector)
    assert ran.code == 0
    assert ran.out.endswith(".safetensors\n")


def test_weights_that_do_not_exist_or_have_no_address(cli, cache):
    ran = cli("weights", "download", "landmarks", "--tag", "dlib")
    assert (ran.code, ran.error) == (2, "Unknown weights 'dlib' of landmarks. Known: fan.")
    assert cli("weights", "download", "landmark").code == 2
    ran = cli("weights", "download", "lipforensics", "--tag", "ff")
    assert ran.code == 1
    assert "unmask weights import lipforensics FILE" in ran.error
