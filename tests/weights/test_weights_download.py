"""Downloads against a web server on this machine: whole and verified, or not at all."""

from __future__ import annotations

import dataclasses
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tiny_detector import (
    PUBLISHED,
    PUBLISHED_SHA256,
    STATE,
    files_in,
    published_entry,
    register,
)

from unmask.errors import OutputError, WeightsError
from unmask.weights import load_detector
from weights_server import WeightsServer

pytestmark = pytest.mark.usefixtures("own_names")


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with WeightsServer(PUBLISHED, "net.json") as server:
        yield server


def test_download_is_verified_kept_and_used_again(server: WeightsServer, cache: Path, caplog):
    register(published_entry(server.url))
    with caplog.at_level(logging.INFO, "unmask"):
        net = load_detector("tiny", "paper")
    assert torch.equal(net.network.layer.weight, STATE["layer.weight"])
    assert net.weights.sha256 == PUBLISHED_SHA256
    assert files_in(cache) == ["tiny-net.json"]
    for told in (server.url, "Apache-2.0", f"{len(PUBLISHED)} bytes", str(cache)):
        assert told in caplog.text
    load_detector("tiny", "paper")
    assert server.requests == 1


def test_damaged_download_in_the_cache_is_refused(server: WeightsServer, cache: Path):
    register(published_entry(server.url))
    load_detector("tiny", "paper")
    (cache / "tiny-net.json").write_bytes(b"{}")
    with pytest.raises(WeightsError, match=r"tiny-net.json' are damaged: .*Delete the file"):
        load_detector("tiny", "paper")


def test_wrong_contents_are_not_kept(server: WeightsServer, cache: Path):
    register(published_entry(server.url))
    server.body = PUBLISHED.replace(b"1", b"4")
    with pytest.raises(WeightsError, match=r"is not the published file: sha256 is .*, expected"):
        load_detector("tiny", "paper")
    assert files_in(cache) == []


@pytest.mark.parametrize(
    ("body", "said"), [(PUBLISHED[:-5], "bytes came"), (PUBLISHED * 9, "more than")]
)
def test_wrong_size_is_not_kept(server: WeightsServer, cache: Path, body: bytes, said: str):
    register(published_entry(server.url))
    server.body = body
    with pytest.raises(WeightsError, match=f"wrong size: .*{said}.* expected {len(PUBLISHED)}"):
        load_detector("tiny", "paper")
    assert files_in(cache) == []


def test_broken_connection_leaves_no_partial_file_and_can_be_run_again(
    server: WeightsServer, cache: Path
):
    register(published_entry(server.url))
    server.body, server.promised = PUBLISHED[:10], len(PUBLISHED)
    with pytest.raises(WeightsError, match="wrong size: 10 bytes came"):
        load_detector("tiny", "paper")
    assert files_in(cache) == []
    server.body, server.promised = PUBLISHED, None
    assert load_detector("tiny", "paper").weights.weights == "paper"


def test_refused_connection_says_where_to_put_the_file(cache: Path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # Taken, but nobody listens.
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/net.json"
        register(published_entry(url))
        with pytest.raises(WeightsError) as caught:
            load_detector("tiny", "paper")
    assert str(caught.value) == (
        f"Cannot download '{url}': Connection refused. Fetch it on another machine and put it at "
        f"'{cache / 'tiny-net.json'}' (sha256 {PUBLISHED_SHA256}), or run: "
        "unmask weights import tiny FILE"
    )
    (cache / "tiny-net.json").write_bytes(PUBLISHED)
    assert load_detector("tiny", "paper").weights.weights == "paper"


def test_missing_page_is_one_error(server: WeightsServer, cache: Path):
    register(dataclasses.replace(published_entry(server.url + "x"), sha256=PUBLISHED_SHA256))
    with pytest.raises(WeightsError, match=r"Cannot download .*: Not Found\."):
        load_detector("tiny", "paper")
    assert files_in(cache) == []


def test_address_without_hash_or_of_a_local_file_is_never_fetched(tmp_path: Path):
    (tmp_path / "net.json").write_bytes(PUBLISHED)
    register(published_entry((tmp_path / "net.json").as_uri()))
    with pytest.raises(WeightsError, match="expected an http address and a sha256"):
        load_detector("tiny", "paper")
    register(dataclasses.replace(published_entry("http://127.0.0.1/net.json"), sha256=None))
    with pytest.raises(WeightsError, match="expected an http address and a sha256"):
        load_detector("tiny", "paper")


def test_cache_that_cannot_be_written_names_the_setting(server: WeightsServer, cache: Path):
    cache.write_text("in the way")
    register(published_entry(server.url))
    with pytest.raises(OutputError, match=r"Cannot write to the cache .* Set UNMASK_CACHE"):
        load_detector("tiny", "paper")


def test_none_never_goes_to_the_network(server: WeightsServer, cache: Path):
    register(published_entry(server.url))
    # Scans are offline: only a tag that somebody asked for is fetched.
    net = load_detector("tiny")
    assert net.weights.weights == "untrained"
    assert server.requests == 0
    assert files_in(cache) == []
