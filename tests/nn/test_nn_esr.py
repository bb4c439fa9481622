"""ESR-9 against the authors' code, and its vote against hand-made ballots."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from unmask.nn.esr import CLASSES, ESR, EsrOutput, from_published, vote

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def formula() -> ModuleType:
    spec = importlib.util.spec_from_file_location("esr_formula", FIXTURES / "formula.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "esr9.json")


@pytest.fixture(scope="module")
def published(formula: ModuleType, fixture: dict) -> list[State]:
    """The contents of the ten files: the shared layers, then the branches."""
    whole = formula.build_state_dict(fixture)
    prefixes = ["base.", *(f"convolutional_branches.{i}." for i in range(9))]
    return [
        {key.removeprefix(p): v for key, v in whole.items() if key.startswith(p)} for p in prefixes
    ]


@pytest.fixture
def net(published: list[State]) -> ESR:
    net = ESR().eval()
    net.load_state_dict(from_published(published[0], published[1:]))
    return net


def run(formula: ModuleType, net: ESR, case: dict) -> tuple[EsrOutput, Tensor]:
    shared: list[Tensor] = []
    net.branches[0].register_forward_pre_hook(lambda _module, inputs: shared.append(inputs[0]))
    (pictures,) = formula.build_inputs(case)
    with torch.no_grad():
        return net(pictures), shared[0]


@pytest.mark.parametrize("number", [0, 1], ids=["eval", "as_shipped"])
def test_agrees_with_the_authors_code(formula: ModuleType, fixture: dict, net: ESR, number: int):
    case = fixture["cases"][number]
    if case["args"]["mode"] == "as_shipped":
        net.branches.train()  # Theirs sit in a plain list, which the switch to eval mode misses.
    output, shared = run(formula, net, case)
    assert output.affect is not None
    assert formula.compare(shared, case["intermediates"]["base"]) < TOLERANCE
    for ours, name in ((output.emotions, "emotions"), (output.affect, "affect")):
        assert formula.compare(ours.transpose(0, 1), case["outputs"][name]) < TOLERANCE
    assert output.maps.shape == (len(output.emotions), 9, 512, 6, 6)


def test_it_is_as_large_as_published(net: ESR, published: list[State]):
    assert sum(p.numel() for p in net.parameters()) == 20_349_546
    assert len(net.state_dict()) == sum(map(len, published)) == 316
    assert len(CLASSES) == 8


def test_it_does_without_affect(formula: ModuleType, fixture: dict, published: list[State]):
    net = ESR(has_affect=False).eval()
    net.load_state_dict(from_published(published[0], published[1:], has_affect=False))
    output, _ = run(formula, net, fixture["cases"][0])
    assert output.affect is None
    expected = fixture["cases"][0]["outputs"]["emotions"]
    assert formula.compare(output.emotions.transpose(0, 1), expected) < TOLERANCE


def test_a_single_branch_is_the_first_of_nine(net: ESR, published: list[State]):
    one = ESR(branches=1).eval()
    one.load_state_dict(from_published(published[0], published[1:2]))
    pictures = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        torch.testing.assert_close(one(pictures).emotions, net(pictures).emotions[:, :1])


def ballots(*chances: tuple[float, ...]) -> Tensor:
    """Logits (1, N, classes) that give these chances."""
    return torch.tensor([chances]).log()


def test_the_class_with_most_votes_wins_over_the_surest_one():
    emotions = ballots((0.01, 0.98, 0.01), (0.5, 0.3, 0.2), (0.6, 0.1, 0.3))
    expression, branch = vote(emotions)
    assert (expression.item(), branch.item()) == (0, 2)


def test_the_surest_branch_need_not_have_voted_for_the_winner():
    # Two branches vote for 0, with 0.4 each; the third is for 1, yet gives 0 a chance of 0.45.
    emotions = ballots((0.4, 0.3, 0.3), (0.4, 0.3, 0.3), (0.45, 0.5, 0.05))
    expression, branch = vote(emotions)
    assert (expression.item(), branch.item()) == (0, 2)


def test_a_tie_goes_to_the_lowest_number():
    emotions = ballots((0.1, 0.2, 0.7), (0.1, 0.6, 0.3))
    expression, branch = vote(emotions)
    assert (expression.item(), branch.item()) == (1, 1)


def test_pictures_vote_by_themselves():
    torch.manual_seed(0)
    emotions = torch.randn(6, 9, 8)
    together = vote(emotions)
    apart = [vote(emotions[i : i + 1]) for i in range(6)]
    for part in range(2):
        assert torch.equal(together[part], torch.cat([one[part] for one in apart]))
