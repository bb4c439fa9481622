"""Weights that are not for commercial use come in only when that is accepted, and say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from tiny_detector import PUBLISHED, published_entry, read_published, register, save

from unmask.checkpoints import read_metadata
from unmask.detectors import Weights, get_card
from unmask.errors import OutputError, WeightsError
from unmask.types import InputSpec
from unmask.weights import Terms, import_weights, load_detector, terms_of_weights

pytestmark = pytest.mark.usefixtures("own_names")

LICENSE = "CC BY-NC 4.0 (non-commercial)"
STATEMENT = f"are not for commercial use: their license is {LICENSE}, set by Ada"


def guarded(url: str | None = None) -> Weights:
    entry = published_entry(url)
    return replace(entry, license=LICENSE, is_non_commercial=True, licensor="Ada")


def by_layout() -> Weights:
    """Guarded weights whose hash is not known."""
    return replace(guarded(), sha256=None, size_bytes=None)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "net.json"
    path.write_bytes(PUBLISHED)
    return path


def test_import_asks_first_and_says_whose_license_it_is(source: Path, tmp_path: Path):
    register(guarded())
    out = tmp_path / "out.safetensors"
    with pytest.raises(WeightsError) as caught:
        import_weights("tiny", source, out)
    assert str(caught.value) == (
        f"Weights '{source}' {STATEMENT}. Nothing was kept. Read it; if your use is allowed, run "
        "again with --accept-license (in Python: accept_license=True)."
    )
    assert not out.exists()


def test_accepted_file_records_when_and_loads(source: Path, tmp_path: Path):
    register(guarded())
    before = datetime.now(UTC).replace(microsecond=0)
    out = import_weights("tiny", source, tmp_path / "out.safetensors", accept_license=True)
    metadata = read_metadata(out)
    assert (metadata["license"], metadata["licensor"]) == (LICENSE, "Ada")
    assert metadata["non_commercial"] == "yes"
    at = datetime.fromisoformat(metadata["license_accepted"])
    assert at.utcoffset() is not None
    assert before <= at <= datetime.now(UTC)
    used = load_detector("tiny", out).weights
    assert used.is_non_commercial
    assert used.license == LICENSE
    terms = terms_of_weights(get_card("tiny"), out)
    assert terms == Terms(LICENSE, "Ada", metadata["license_accepted"])


def test_accepting_again_keeps_the_file_and_its_first_date(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    register(guarded())
    out = import_weights("tiny", source, tmp_path / "out.safetensors", accept_license=True)
    data = out.read_bytes()

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2036, 1, 1, tzinfo=tz)

    monkeypatch.setattr("unmask.weights.license.datetime", Later)
    assert import_weights("tiny", source, out, accept_license=True) == out
    assert out.read_bytes() == data


def test_file_of_unknown_hash_is_judged_by_its_layout(source: Path, tmp_path: Path):
    register(by_layout())
    out = tmp_path / "out.safetensors"
    with pytest.raises(
        WeightsError, match=r"\(non-commercial\) \(told by the file's layout\), set"
    ):
        import_weights("tiny", source, out)
    import_weights("tiny", source, out, accept_license=True)
    used = load_detector("tiny", out).weights
    assert used.license == f"{LICENSE} (told by the file's layout)"
    assert (used.is_non_commercial, used.trained_on) == (True, "unknown")


@pytest.mark.parametrize("is_recognized", [True, False])
def test_weights_with_one_importer_are_told_apart(
    is_recognized: bool, source: Path, tmp_path: Path
):
    free = Weights(tag="free", importer=read_published, license="MIT")
    register(free, replace(by_layout(), recognizes=lambda _path: is_recognized))
    out = tmp_path / "out.safetensors"
    if is_recognized:
        with pytest.raises(WeightsError, match="not for commercial use"):
            import_weights("tiny", source, out)
        return
    import_weights("tiny", source, out)
    assert read_metadata(out)["non_commercial"] == "no"
    used = load_detector("tiny", out).weights
    assert (used.license, used.is_non_commercial) == ("unknown", False)


def test_free_weights_ask_nothing_and_record_nothing(source: Path, tmp_path: Path):
    register(published_entry(None))
    metadata = read_metadata(import_weights("tiny", source, tmp_path / "x.safetensors"))
    assert not {"non_commercial", "licensor", "license_accepted"} & metadata.keys()


def test_our_file_without_a_record_is_refused_with_the_way_out(tmp_path: Path):
    register(guarded())
    notes = {"non_commercial": "yes", "licensor": "Ada", "license_accepted": ""}
    for path in (
        save(tmp_path / "told.safetensors", license=LICENSE, notes=notes),
        save(tmp_path / "of_before.safetensors", license=LICENSE),
    ):
        with pytest.raises(WeightsError) as caught:
            load_detector("tiny", path)
        assert str(caught.value) == (
            f"Weights '{path}' {STATEMENT}, and the file has no record that you accepted it. "
            "Import the published file again, to a new place: unmask weights import tiny FILE -o "
            "NEW --accept-license"
        )


def test_file_imported_before_licenses_were_asked_for_is_refused(tmp_path: Path):
    register(guarded())
    path = save(tmp_path / "x.safetensors", tag="unknown", license="unknown")
    told = (
        f"Weights '{path}' were imported by an unmask that did not ask about licenses, and may not "
        f"be for commercial use (paper: {LICENSE}). Import the published file again, to a new "
        "place: unmask weights import tiny FILE -o NEW --accept-license"
    )
    with pytest.raises(WeightsError) as caught:
        load_detector("tiny", path)
    assert str(caught.value) == told
    # Importing that file itself is no way around it.
    with pytest.raises(WeightsError) as caught:
        import_weights("tiny", path, tmp_path / "y.safetensors")
    assert str(caught.value) == told


def test_files_of_other_detectors_and_of_ones_own_training_load(tmp_path: Path):
    register(published_entry(None))
    assert load_detector("tiny", save(tmp_path / "a.safetensors", tag="unknown"))
    register(guarded())
    assert load_detector("tiny", save(tmp_path / "b.safetensors"))


def test_our_accepted_file_is_imported_with_its_record(source: Path, tmp_path: Path):
    register(guarded())
    first = import_weights("tiny", source, tmp_path / "a.safetensors", accept_license=True)
    again = import_weights("tiny", first, tmp_path / "b.safetensors")
    for key in ("license", "licensor", "license_accepted", "non_commercial"):
        assert read_metadata(again)[key] == read_metadata(first)[key]


def test_acceptance_does_not_overwrite_a_file_without_one(source: Path, tmp_path: Path):
    register(published_entry(None))
    out = import_weights("tiny", source, tmp_path / "x.safetensors")
    register(guarded())
    with pytest.raises(OutputError, match="it exists with other contents"):
        import_weights("tiny", source, out, accept_license=True)


def test_tag_loads_only_what_was_accepted(source: Path, cache: Path):
    register(guarded("https://example.org/net.json"))
    published = cache / "tiny-net.json"
    cache.mkdir()
    published.write_bytes(PUBLISHED)
    # A file that merely lies in the cache was not accepted: nothing is loaded unasked.
    assert load_detector("tiny").weights.weights == "untrained"
    with pytest.raises(WeightsError) as caught:
        load_detector("tiny", "paper")
    assert str(caught.value) == (
        f"Weights 'paper' of tiny {STATEMENT}. Read it; if your use is allowed, run: unmask "
        "weights download tiny --tag paper --accept-license"
    )
    import_weights("tiny", source, published.with_suffix(".safetensors"), accept_license=True)
    for asked in (None, "paper"):
        used = load_detector("tiny", asked).weights
        assert (used.weights, used.is_non_commercial) == ("paper", True)


XCEPTION = "block1.skip.weight"
LAYOUTS = [
    *(("cnn_aug", tag, {"fc.weight": rows}) for tag, rows in (("progan", 1), ("imagenet", 1000))),
    *(("self_blended", tag, {"net._fc.weight": n}) for tag, n in (("sbi", 2), ("imagenet", 1000))),
    ("lipforensics", "lrw", {"tcn.tcn_output.weight": 500}),
    ("lipforensics", "ff", {"tcn.tcn_output.weight": 1}),
    ("resnet3d_lipreading", "lrw", {"tcn.tcn_output.weight": 500}),
    ("resnet3d_lipreading", "ff", {"tcn.tcn_output.weight": 1}),
    ("xception", "ffpp", {f"model.{XCEPTION}": 1, "model.last_linear.1.weight": 2}),
    ("xception", "deepfakebench", {f"backbone.{XCEPTION}": 1, "backbone.last_linear.weight": 2}),
    ("xception", "imagenet", {XCEPTION: 1, "fc.weight": 1000}),
    ("anti_compression", "ffpp", {XCEPTION: 1, "last_linear.weight": 2}),
    ("anti_compression", "imagenet", {XCEPTION: 1, "fc.weight": 1000}),
    ("emd", "ffpp", {XCEPTION: 1, "last_linear.weight": 2}),
    ("emd", "imagenet", {XCEPTION: 1, "fc.weight": 1000}),
    ("emd", "esr9", {"conv4.weight": 1, "bn4.weight": 1}),
]


@pytest.mark.parametrize(("name", "tag", "rows"), LAYOUTS)
def test_layouts_of_published_files_are_told_apart(
    name: str, tag: str, rows: dict[str, int], tmp_path: Path
):
    from unmask.weights.license import likely_entries

    path = tmp_path / "x.pth"
    torch.save({key: torch.zeros(count, 1) for key, count in rows.items()}, path)
    card = get_card(name)
    (entry,) = [entry for entry in card.weights if entry.tag == tag]
    alike = [other for other in card.weights if other.importer == entry.importer]
    assert [found.tag for found in likely_entries(alike, path)] == [tag]


def test_xception_beside_the_files_of_esr_is_under_their_license_too(tmp_path: Path):
    from unmask.weights.license import likely_entries

    path = tmp_path / "x.pth"
    torch.save({XCEPTION: torch.zeros(1, 1), "fc.weight": torch.zeros(1000, 1)}, path)
    (tmp_path / "Net-Base-Shared_Representations.pt").touch()
    assert [found.tag for found in likely_entries(get_card("emd").weights, path)] == ["esr9"]


def test_input_of_a_guarded_file_is_kept(source: Path, tmp_path: Path):
    """The record stands beside what a file says of its network."""
    register(guarded())
    notes = {"non_commercial": "yes", "licensor": "Ada", "license_accepted": "2026-11-21T09:00:00"}
    path = save(
        tmp_path / "x.safetensors", license=LICENSE, input=InputSpec(size=(8, 8)), notes=notes
    )
    again = import_weights("tiny", path, tmp_path / "y.safetensors")
    assert load_detector("tiny", again).card.input.size == (8, 8)
