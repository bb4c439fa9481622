"""The multi-task autoencoder with the expression stream: junction, start, variants, pretraining."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from unmask.detectors import Target, get_card
from unmask.errors import UsageError, WeightsError
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5
BASE = "Net-Base-Shared_Representations.pt"
CARD = get_card("multi_task_fer")


def build(**args: object) -> nn.Module:
    torch.manual_seed(0)
    return replace(CARD, args={**CARD.args, **args}).build().eval()


def pictures(count: int = 2) -> Tensor:
    return torch.rand(count, 3, 1, 64, 64, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.fixture(scope="module")
def esr9(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "esr9.json")


@pytest.fixture
def folder(formula: ModuleType, esr9: dict, tmp_path: Path) -> Path:
    """The ten published files of ESR-9."""
    whole = formula.build_state_dict(esr9)
    files = {"base.": BASE}
    files |= {f"convolutional_branches.{i}.": f"Net-Branch_{i + 1}.pt" for i in range(9)}
    for prefix, name in files.items():
        part = {k.removeprefix(prefix): v for k, v in whole.items() if k.startswith(prefix)}
        torch.save(part, tmp_path / name)
    return tmp_path


@pytest.mark.slow
def test_the_imported_expression_stream_agrees_with_the_authors_code(
    formula: ModuleType, esr9: dict, folder: Path
):
    out = import_weights(
        "multi_task_fer", folder / "Net-Branch_2.pt", folder / "x.safetensors", accept_license=True
    )
    net = load_detector("multi_task_fer", out).network
    case = next(case for case in esr9["cases"] if case["args"]["mode"] != "as_shipped")
    (faces,) = formula.build_inputs(case)
    with torch.no_grad():
        emotions = net.fer.esr(faces).emotions.transpose(0, 1)
    assert formula.compare(emotions, case["outputs"]["emotions"]) < TOLERANCE
    assert "non-commercial" in CARD.weights[0].license


def test_files_that_are_not_whole_or_not_esrs_are_refused(folder: Path):
    (folder / "Net-Branch_3.pt").unlink()
    with pytest.raises(WeightsError, match=r"expected Net-Base.* missing Net-Branch_3\.pt\. Put"):
        import_weights("multi_task_fer", folder / BASE, folder / "x.safetensors")
    torch.save({"conv1.weight": torch.zeros(3)}, folder / "x.pth")
    with pytest.raises(WeightsError, match=r"are not of ESR-9\. Give Net-Base"):
        CARD.weights[0].importer(folder / "x.pth")
    assert not (folder / "x.safetensors").exists()


def test_the_expression_network_sees_the_picture_in_the_range_it_knows():
    net = build()
    seen: list[Tensor] = []
    net.fer.esr.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    plain = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    spec = CARD.input
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (spec.mean, spec.std))
    with torch.no_grad():
        net(((plain - mean) / std)[:, :, None])
    torch.testing.assert_close(seen[0], plain.flip(1))


def test_the_chosen_branchs_maps_join_before_the_last_convolution():
    net = build()
    seen: list[Tensor] = []
    net.net.encoder[24].register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        for i, branch in enumerate(net.fer.esr.branches):
            branch.fc.bias[2] = 20.0 if i == 5 else 5.0
        net(pictures())
        _, maps = net.fer.emotions(pictures()[:, :, 0] * net.std + net.mean)
    assert seen[0].shape == (2, 64 + 512, 4, 4)
    wanted = nn.functional.interpolate(maps[:, 5], (4, 4), mode="bilinear")
    torch.testing.assert_close(seen[0][:, 64:], wanted)


def test_expressions_change_the_score():
    net = build()
    with torch.no_grad():
        before = net(pictures()).logit
        for branch in net.fer.esr.branches:
            branch.bn4.bias += 3
        assert not torch.allclose(before, net(pictures()).logit)


def test_the_expression_map_has_the_streams_size():
    heat = build().heat_map("fer_cam", pictures())
    assert heat.shape == (2, 6, 6)
    assert heat.std() > 0


def test_the_single_branch_is_set_and_others_are_refused():
    net = build(fer="sim")
    assert len(net.fer.esr.branches) == 1
    label, mask = torch.tensor([0.0, 1.0]), torch.zeros(2, 1, 64, 64)
    assert net.training_loss(pictures(), Target(label=label, mask=mask)).isfinite()
    with pytest.raises(UsageError, match="Cannot set fer='none': expected 'ens' or 'sim'"):
        build(fer="none")


def test_pretraining_trains_the_detectors_own_expression_network():
    pretraining = CARD.pretraining["fer"]
    reader = pretraining.build({**CARD.args, "fer": "sim"}, 8).eval()
    net = build(fer="sim")
    result = net.load_state_dict(dict(pretraining.into(reader.state_dict())), strict=False)
    assert not result.unexpected_keys
    assert all(key.startswith("net.") for key in result.missing_keys)
    assert pretraining.input.margin == CARD.input.margin


def test_the_recipe_is_that_of_the_autoencoder_but_for_the_frozen_stream():
    base = get_card("multi_task")
    assert CARD.recipe.changed({"freeze": ()}) == base.recipe
    assert CARD.recipe.freeze == ("fer",)
    assert CARD.input == base.input
