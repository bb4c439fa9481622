"""EMD's published starts, its expression stream, its variants and its pretraining."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from unmask.detectors import Target, get_card
from unmask.errors import UsageError, WeightsError
from unmask.train import apply_settings
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5
BASE = "Net-Base-Shared_Representations.pt"
CARD = get_card("emd")

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def esr9(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "esr9.json")


@pytest.fixture(scope="module")
def xception(formula: ModuleType) -> State:
    return formula.build_state_dict(formula.load(FIXTURES / "ff_xception.json"))


@pytest.fixture(scope="module")
def published(formula: ModuleType, esr9: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ten published files of ESR-9."""
    place = tmp_path_factory.mktemp("esr9")
    whole = formula.build_state_dict(esr9)
    files = {"base.": BASE}
    files |= {f"convolutional_branches.{i}.": f"Net-Branch_{i + 1}.pt" for i in range(9)}
    for prefix, name in files.items():
        part = {k.removeprefix(prefix): v for k, v in whole.items() if k.startswith(prefix)}
        torch.save(part, place / name)
    return place


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """The same files in a folder that a test may change."""
    for file in published.iterdir():
        (tmp_path / file.name).symlink_to(file)
    return tmp_path


def build(**args: object) -> nn.Module:
    torch.manual_seed(0)
    return replace(CARD, args={**CARD.args, **args}).build().eval()


def imported(path: Path) -> nn.Module:
    """Through a safetensors file, which is large."""
    out = path.with_suffix(".safetensors")
    return load_detector("emd", import_weights("emd", path, out, accept_license=True)).network


def started(path: Path) -> nn.Module:
    net = build()
    net.load_state_dict(dict(CARD.weights[0].importer(path)))
    return net


@pytest.mark.slow
def test_the_imported_expression_stream_agrees_with_the_authors_code(
    formula: ModuleType, esr9: dict, folder: Path
):
    net = imported(folder / BASE)
    for case in esr9["cases"]:
        net.fer.esr.branches.train(case["args"]["mode"] == "as_shipped")
        (pictures,) = formula.build_inputs(case)
        with torch.no_grad():
            emotions = net.fer.esr(pictures).emotions.transpose(0, 1)
        assert formula.compare(emotions, case["outputs"]["emotions"]) < TOLERANCE


def test_esr_files_are_a_start_that_says_nothing(folder: Path):
    net = started(folder / "Net-Branch_4.pt")  # Any of the ten files stands for all.
    with torch.no_grad():
        output = net(torch.rand(2, 3, 1, 107, 107) * 2 - 1)
    assert output.logit.tolist() == [0, 0]
    assert not output.mask.any()
    assert net.encoder.net.conv1.weight.std() > 0


def test_what_a_file_does_not_bring_is_the_same_every_time(folder: Path):
    torch.manual_seed(1)
    first = CARD.weights[0].importer(folder / BASE)
    torch.manual_seed(2)
    again = CARD.weights[0].importer(folder / BASE)
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_an_xception_fills_the_encoder_but_for_its_last_convolution(
    xception: State, tmp_path: Path
):
    torch.save({f"model.{key}": value for key, value in xception.items()}, tmp_path / "x.p")
    net = started(tmp_path / "x.p")
    ours = net.encoder.net.state_dict()
    assert ours.keys() - xception.keys() == set()
    for key, value in ours.items():
        if not key.startswith(("conv4.", "bn4.")):
            assert torch.equal(value, xception[key])
    assert ours["conv4.pointwise.weight"].shape == (2048, 2048, 1, 1)
    assert torch.equal(ours["bn4.weight"], torch.ones(2048))


@pytest.mark.parametrize("given", [BASE, "xception-b5690688.pth"])
def test_both_starts_are_taken_from_one_folder(given: str, xception: State, folder: Path):
    state = {key: v for key, v in xception.items() if not key.startswith("last_linear")}
    state |= {"fc.weight": torch.ones(1000, 2048), "fc.bias": torch.ones(1000)}
    torch.save(state, folder / "xception-b5690688.pth")
    net = started(folder / given)
    branch = torch.load(folder / "Net-Branch_9.pt")
    assert torch.equal(net.fer.esr.branches[8].conv4.weight, branch["conv4.weight"])
    assert torch.equal(net.encoder.net.bn3.weight, xception["bn3.weight"])


def test_esr_files_that_are_not_whole_are_refused(folder: Path):
    (folder / "Net-Branch_3.pt").unlink()
    (folder / "Net-Branch_7.pt").unlink()
    message = r"expected Net-Base.* missing Net-Branch_3\.pt, Net-Branch_7\.pt\. Put all ten"
    with pytest.raises(WeightsError, match=message):
        import_weights("emd", folder / BASE, folder / "out.safetensors")
    assert not (folder / "out.safetensors").exists()


def test_a_branch_that_lacks_a_layer_is_refused_with_the_difference(folder: Path):
    branch = torch.load(folder / "Net-Branch_2.pt")
    del branch["conv3.weight"]
    (folder / "Net-Branch_2.pt").unlink()
    torch.save(branch, folder / "Net-Branch_2.pt")
    with pytest.raises(WeightsError, match=r"1 missing \(fer\.esr\.branches\.1\.conv3\.weight\)"):
        import_weights("emd", folder / BASE, folder / "out.safetensors")


def test_an_xception_that_lacks_a_block_is_refused_with_the_difference(
    xception: State, tmp_path: Path
):
    state = {key: value for key, value in xception.items() if not key.startswith("block12")}
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"20 missing \(encoder\.net\.block12\."):
        import_weights("emd", tmp_path / "x.pth", tmp_path / "out.safetensors")


def test_another_network_is_refused_with_what_is_expected(tmp_path: Path):
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"neither of ESR-9 nor of an Xception\. Give Net-Base"):
        CARD.weights[0].importer(tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"do not fit emd: .* 1 unexpected \(conv1\.weight\)"):
        import_weights("emd", tmp_path / "x.pth", tmp_path / "out.safetensors")


@pytest.mark.slow
def test_a_plain_state_dict_of_the_whole_detector_is_taken(tmp_path: Path):
    whole = build()
    torch.save(whole.state_dict(), tmp_path / "x.pt")
    net = imported(tmp_path / "x.pt")
    assert torch.equal(net.head.weight, whole.head.weight)


def test_the_expression_network_sees_the_whole_picture_as_opencv_reads_it():
    net = build()
    seen: list[Tensor] = []
    net.fer.esr.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    rgb = np.random.default_rng(0).integers(0, 256, (299, 299, 3), np.uint8)
    spec = CARD.input
    clip = (torch.from_numpy(rgb) / 255 - torch.tensor(spec.mean)) / torch.tensor(spec.std)
    with torch.no_grad():
        net(clip.permute(2, 0, 1)[None, :, None])
    # The authors read with OpenCV, which gives BGR, resize the face and divide by 255.
    theirs = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR).astype(np.float32), (96, 96)) / 255
    ours = seen[0][0].permute(1, 2, 0)
    torch.testing.assert_close(ours, torch.from_numpy(theirs), rtol=0, atol=1e-4)


def test_the_surest_branchs_maps_reach_the_encoder():
    net = build()
    seen: list[Tensor] = []
    net.encoder.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[1]))
    clips = torch.rand(3, 3, 1, 107, 107) * 2 - 1
    with torch.no_grad():
        # The sixth branch alone is sure, of what all are made to vote for.
        for i, branch in enumerate(net.fer.esr.branches):
            branch.fc.bias[2] = 20.0 if i == 5 else 5.0
        net(clips)
        _, maps = net.fer.emotions(clips[:, :, 0] / 2 + 0.5)
    assert seen[0].shape == (3, 512, 6, 6)
    torch.testing.assert_close(seen[0], maps[:, 5])


def test_the_expression_map_is_its_heads_view_of_the_chosen_maps():
    net = build()
    clips = torch.rand(2, 3, 1, 107, 107) * 2 - 1
    with torch.no_grad():
        for i, branch in enumerate(net.fer.esr.branches):
            branch.fc.bias[2] = 20.0 if i == 5 else 5.0
        heat = net.heat_map("fer_cam", clips)
        maps = net.fer(clips[:, :, 0] / 2 + 0.5)
        by_hand = (maps * net.fer.esr.branches[5].fc.weight[2].view(1, 512, 1, 1)).sum(dim=1)
    assert heat.shape == (2, 6, 6)
    torch.testing.assert_close(heat, by_hand)


def test_without_the_stream_there_is_no_expression_map():
    with pytest.raises(UsageError, match=r"fer is 'none'\. Use fer='ens' or 'sim'"):
        build(fer="none").heat_map("fer_cam", torch.zeros(1, 3, 1, 107, 107))


@pytest.mark.parametrize(("fer", "branches", "inputs"), [("sim", 1, 2048), ("none", 0, 1536)])
def test_variants_of_the_paper_are_set_and_run(fer: str, branches: int, inputs: int):
    card = apply_settings(CARD, [f"fer={fer}"])
    net = card.build().eval()
    assert len(list(net.fer.modules())) > 1 or branches == 0
    assert branches == 0 or len(net.fer.esr.branches) == branches
    assert net.encoder.net.conv4.conv1.in_channels == inputs
    assert dict(net.named_modules()).keys() >= {
        *card.recipe.freeze,
        *card.recipe.schedule.warmup_parts,
    }
    with torch.no_grad():
        output = net(torch.rand(1, 3, 1, 107, 107) * 2 - 1)
    assert output.logit.isfinite().all()
    assert output.embedding.shape == (1, 2048)


def test_an_unknown_variant_is_refused():
    with pytest.raises(UsageError, match="Cannot set fer='all': expected 'ens', 'sim' or 'none'"):
        build(fer="all")


def test_masks_count_as_forged_above_a_tenth_and_weigh_as_much_as_the_picture():
    net = build(fer="none")
    with torch.no_grad():
        output = net(torch.rand(2, 3, 1, 107, 107) * 2 - 1)
    label = torch.tensor([0.0, 1.0])
    faint = Target(label=label, mask=torch.full((2, 1, 107, 107), 0.05))
    strong = Target(label=label, mask=torch.full((2, 1, 107, 107), 0.2))
    black = Target(label=label, mask=torch.zeros(2, 1, 107, 107))
    white = Target(label=label, mask=torch.ones(2, 1, 107, 107))
    loss = CARD.recipe.loss
    assert torch.equal(loss(output, faint), loss(output, black))
    assert torch.equal(loss(output, strong), loss(output, white))
    assert not torch.equal(loss(output, faint), loss(output, strong))
    undecided = output._replace(logit=torch.zeros(2), mask=torch.zeros(2, 1, 9, 9))
    assert loss(undecided, faint).item() == pytest.approx(2 * 0.6931, abs=1e-4)


def test_the_recipe_is_the_papers():
    recipe = CARD.recipe
    assert (recipe.optimizer.kind, recipe.optimizer.learning_rate, recipe.sampling.batch_size) == (
        "adam",
        1e-3,
        16,
    )
    assert (recipe.optimizer.betas, recipe.optimizer.eps) == ((0.9, 0.999), 1e-8)
    assert (
        recipe.schedule.warmup_epochs,
        recipe.schedule.epochs - recipe.schedule.warmup_epochs,
    ) == (3, 20)
    assert recipe.sampling.needs_masks
    assert recipe.schedule.monitor == "accuracy"
    assert recipe.freeze == ("fer",)


def test_all_that_is_new_is_trained_first():
    # Nothing but what no published file brings: else a start would be lost in the first epochs.
    warm = tuple(f"{part}." for part in CARD.recipe.schedule.warmup_parts)
    new = {key for key in build().state_dict() if key.startswith(warm)}
    rest = {key for key in build().state_dict() if key not in new}
    assert {key.split(".")[0] for key in new} == {"encoder", "decoder", "head"}
    assert {key.split(".")[0] for key in rest} == {"encoder", "fer"}
    assert not any(key.startswith(("encoder.net.conv4", "encoder.net.bn4")) for key in rest)


@pytest.mark.parametrize(("fer", "branches"), [("ens", 9), ("sim", 1)])
def test_the_stage_trains_the_detectors_own_expression_network(fer: str, branches: int):
    pretraining = CARD.pretraining["fer"]
    assert pretraining.layout == "affectnet"
    torch.manual_seed(0)
    reader = pretraining.build({**CARD.args, "fer": fer}, 8).eval()
    spec = pretraining.input
    clips = torch.rand(2, 3, spec.frames, *spec.size)
    logits = reader(clips)
    assert logits.shape == (2, branches, 8)
    pretraining.loss(logits, torch.tensor([0, 7]), None).backward()
    assert all(p.grad is not None for p in reader.parameters())
    detector = build(fer=fer)
    result = detector.load_state_dict(dict(pretraining.into(reader.state_dict())), strict=False)
    assert not result.unexpected_keys
    assert not any(key.startswith("fer.") for key in result.missing_keys)
    with torch.no_grad():
        torch.testing.assert_close(detector.fer.emotions(clips[:, :, 0])[0], logits)


@pytest.mark.slow
def test_a_few_steps_of_the_stage_lower_its_loss():
    pretraining = CARD.pretraining["fer"]
    torch.manual_seed(0)
    reader = pretraining.build({**CARD.args, "fer": "sim"}, 8)
    optimizer = torch.optim.SGD(reader.parameters(), 0.01, pretraining.recipe.optimizer.momentum)
    clips, number = torch.rand(4, 3, 1, 96, 96), torch.tensor([0, 3, 5, 7])
    losses = []
    for _ in range(4):
        loss = pretraining.loss(reader(clips), number, None)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_the_stage_refuses_what_the_detector_could_not_take():
    build_stage = CARD.pretraining["fer"].build
    with pytest.raises(UsageError, match="the data have 7 expressions, the detector expects 8"):
        build_stage(CARD.args, 7)
    with pytest.raises(UsageError, match=r"fer is 'none', so the detector has none\. Use --set"):
        build_stage({**CARD.args, "fer": "none"}, 8)
    reader = build_stage({**CARD.args, "classes": 11}, 11)
    assert reader(torch.rand(2, 3, 1, 96, 96)).shape == (2, 9, 11)


def test_the_licence_says_what_the_weights_are_not_for():
    entries = {entry.tag: entry for entry in CARD.weights}
    assert "non-commercial" in entries["esr9"].license
    assert all(entry.url is None and entry.file is None for entry in CARD.weights)
