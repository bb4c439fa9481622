"""The papers' protocols on other data of the same shape."""

import dataclasses

import pytest

import toy_detectors
from dataset_trees import write_faceforensics
from unmask.datasets import list_datasets, read_dataset
from unmask.detectors import get_card
from unmask.errors import UnknownNameError
from unmask.evaluate.data import Data
from unmask.minibench.settings import KINDS
from unmask.papers.measure import run_protocol
from unmask.papers.registry import PROTOCOLS, get_protocol
from unmask.papers.show import show_protocol
from unmask.papers.stand_in import STAND_INS, get_stand_in, on
from unmask.papers.trainings import trainings

MINIBENCH = get_stand_in("minibench")


def test_an_unknown_stand_in():
    with pytest.raises(UnknownNameError, match=r"Unknown stand-in 'x'. Known: minibench."):
        get_stand_in("x")


@pytest.mark.parametrize("stand_in", STAND_INS.values(), ids=lambda s: s.name)
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.name)
def test_every_protocol_is_put_in_place(protocol, stand_in):
    found = on(protocol, stand_in)
    assert found.train_dataset == stand_in.trained
    assert {stand_in.trained, stand_in.other} <= set(list_datasets())
    assert {*found.train_methods} <= set(KINDS)
    for cell in found.cells:
        assert cell.dataset in (stand_in.trained, stand_in.other)
        assert {*cell.methods, *cell.train} <= set(KINDS)
        assert found.train_compression or cell.compression
        if cell.variant.startswith("without") and len(cell.methods) == 1 and not cell.share:
            assert not set(cell.methods) & set(cell.train)
    for row in found.published:
        assert len(row.values) == len(found.headings), row.model
    assert len(found.cells) == len({*found.cells})
    assert "not field accuracy" in found.stand_in
    assert "cannot be compared" in found.stand_in


def test_the_five_methods_stay_apart():
    five = get_protocol("spatio_temporal/table1").train_methods
    assert len({MINIBENCH.methods[method] for method in five}) == 5
    cells = {cell.column: cell for cell in on(get_protocol("emd/figure6"), MINIBENCH).cells}
    assert cells["F2F 2 accuracy"].videos == cells["F2F 2 accuracy"].at == 2
    assert cells["F2F all PBCA"].videos is None
    diversity = on(get_protocol("lipforensics/figure5-left"), MINIBENCH)
    assert diversity.headings == ("1 method", "2 methods", "3 methods", "4 methods")


def test_trainings_of_all_protocols_are_few():
    """Equal ones of several tables are told to be equal, so that they are trained once."""
    card = get_card("xception")
    every = [t for p in PROTOCOLS for t in trainings(on(p, MINIBENCH), card)]
    assert len(set(every)) == 44 < len(every)
    assert {t.dataset for t in every} == {"minibench"}


def test_a_table_runs_on_the_stand_in(tmp_path, monkeypatch):
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    ids = (("000", "003"), ("011", "012"), ("720", "672"))
    root = write_faceforensics(tmp_path / "ff", ids, tuple(KINDS), ("c23",), 8, with_masks=False)
    rows = read_dataset("faceforensics", root)
    main = [dataclasses.replace(row, dataset="minibench") for row in rows]
    other = [
        dataclasses.replace(row, dataset="minibench_other") for row in rows if row.split == "test"
    ]
    protocol = on(get_protocol("lipforensics/table2"), MINIBENCH)
    assert protocol.datasets == ("minibench_other", "minibench")
    given = {"bright": toy_detectors.weights_file(tmp_path / "b.safetensors", "bright", 2.0)}
    data = [Data(main, root), Data(other, root)]
    (ours,) = run_protocol(protocol, data, ["bright"], tmp_path / "out", weights=given, resamples=9)
    assert None not in [figure.value for figure in ours.values]
    text = show_protocol(protocol, data, [ours])
    assert "| paper, other data: LipForensics | 82.4 | 73.5 | 97.1 | 97.6 | 87.7 |" in text
    assert "| paper: " not in text
    assert MINIBENCH.note in text
    assert "FaceShifter = mouth_swap_in_time" in text
