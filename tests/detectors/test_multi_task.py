"""ClassNSeg against the authors' code, through its two files, and its published weights."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

import av
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import unmask
from unmask.checkpoints.safetensors_file import read_metadata
from unmask.detectors import Target, get_card
from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5
CARD = get_card("multi_task")

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "classnseg.json")


@pytest.fixture
def folder(formula: ModuleType, fixture: dict, tmp_path: Path) -> Path:
    """The two published files, of the fixture's values."""
    whole = formula.build_state_dict(fixture)
    for prefix, part in (("enc.", "encoder"), ("dec.", "decoder")):
        state = {k.removeprefix(prefix): v for k, v in whole.items() if k.startswith(prefix)}
        torch.save(state, tmp_path / f"{part}_7.pt")
    return tmp_path


def imported(path: Path) -> nn.Module:
    out = path.parent / "ours.safetensors"
    return load_detector("multi_task", import_weights("multi_task", path, out)).network


@pytest.mark.parametrize("given", ["encoder_7.pt", "decoder_7.pt"])
def test_agrees_with_the_authors_code(given: str, formula: ModuleType, fixture: dict, folder: Path):
    net = imported(folder / given)
    decoded: list[tuple[Tensor, Tensor]] = []
    inner = net.net.decode
    net.net.decode = lambda latent: decoded.append(inner(latent)) or decoded[-1]
    case = fixture["cases"][0]
    (pictures,) = formula.build_inputs(case)
    with torch.no_grad():
        output = net(pictures[:, :, None])
        latent = net.net.encode(pictures)
    assert formula.compare(latent.unflatten(1, (2, 64)), case["intermediates"]["latent"]) < 1e-5
    expected = case["outputs"]
    zero, one = torch.tensor(expected["activations_zero_one"]["values"]).view(2, 2).unbind(1)
    assert (output.logit - (zero - one)).abs().max() < TOLERANCE * one.square().mean().sqrt()
    # The published probability is that of class 1, which is REAL.
    assert formula.compare((-output.logit).sigmoid(), expected["probability_one"]) < TOLERANCE
    mask, picture = decoded[0]
    forged = mask.sigmoid()
    both = torch.cat([1 - forged, forged], dim=1)
    assert formula.compare(both, expected["segmentation"]) < TOLERANCE
    assert torch.equal(output.mask, mask)
    assert formula.compare(picture, expected["reconstruction"]) < TOLERANCE


def test_one_file_without_the_other_is_refused(folder: Path):
    (folder / "decoder_7.pt").unlink()
    with pytest.raises(WeightsError, match=r"expected encoder_7\.pt and decoder_7\.pt .* missing "):
        imported(folder / "encoder_7.pt")
    assert not (folder / "ours.safetensors").exists()


def test_a_file_by_another_name_is_refused(folder: Path):
    shutil.copy2(folder / "encoder_7.pt", folder / "x.pt")
    with pytest.raises(WeightsError, match=r"63 unexpected \(encoder\.0\.weight"):
        imported(folder / "x.pt")
    with pytest.raises(WeightsError, match=r"expected a name like encoder_46\.pt or decoder_46"):
        CARD.weights[0].importer(folder / "x.pt")


def test_a_file_that_does_not_fit_is_refused_with_the_difference(folder: Path):
    state = torch.load(folder / "encoder_7.pt")
    del state["encoder.24.weight"]
    torch.save({**state, "extra.weight": torch.zeros(1)}, folder / "encoder_7.pt")
    wanted = r"1 missing \(net\.encoder\.24\.weight\); 1 unexpected \(net\.extra\.weight\)"
    with pytest.raises(WeightsError, match=wanted):
        imported(folder / "decoder_7.pt")


@pytest.fixture
def published(shared_folder: Path, tmp_path: Path) -> Path:
    """The published files, copied."""
    source = shared_folder / "checkpoints" / "classnseg"
    if not (source / "encoder_46.pt").is_file():
        pytest.skip(f"needs the published files in {source}")
    for name in ("encoder_46.pt", "decoder_46.pt"):
        shutil.copyfile(source / name, tmp_path / name)
    return tmp_path


def test_published_files_are_recognized_and_hold_a_real_face_for_real(
    published: Path, shared_folder: Path
):
    video = shared_folder / "media" / "val" / "real" / "EDTalk__test_data-mouth_source.mp4"
    if not video.is_file():
        pytest.skip(f"needs the real video {video}")
    out = import_weights("multi_task", published / "encoder_46.pt", published / "x.safetensors")
    found = read_metadata(out)
    assert (found["tag"], found["license"]) == ("full", "BSD-3-Clause")
    with av.open(str(video)) as container:
        picture = next(container.decode(video=0)).to_image()
    picture.save(published / "face.png")
    verdict = unmask.scan(published / "face.png", ["multi_task"], weights={"multi_task": out})
    assert verdict.detectors[0].license == "BSD-3-Clause"
    (score,) = verdict.clip_scores
    # The half for forged faces is near 0, that for real ones near 1, as they were trained to be.
    forged, real = score.embedding.reshape(2, 64).mean(axis=1)
    assert score.logit == pytest.approx(forged - real, abs=1e-5)
    assert forged < 0.3
    assert 0.7 < real < 1.5
    assert score.mask.shape == (1, 256, 256)


def test_a_decoder_of_another_training_is_refused(published: Path):
    state = torch.load(published / "decoder_46.pt", map_location="cpu")
    torch.save(state | {"decoder.0.bias": torch.zeros(16)}, published / "decoder_46.pt")
    with pytest.raises(WeightsError, match=r"decoder_46\.pt' do not belong to '.*expected 0c4e45"):
        imported(published / "encoder_46.pt")


def a_batch() -> tuple[Tensor, Target]:
    clips = torch.rand(4, 3, 1, 64, 64, generator=torch.Generator().manual_seed(2)) - 0.5
    label = torch.tensor([0.0, 1.0, 0.0, 1.0])
    mask = torch.zeros(4, 1, 64, 64)
    mask[label == 1, :, 32:] = 1
    return clips, Target(label=label, mask=mask)


def test_the_joint_loss_is_that_of_the_authors():
    torch.manual_seed(0)
    net = CARD.build().eval()
    clips, target = a_batch()
    assert target.mask is not None
    with torch.no_grad():
        latent = net.net.encode(clips[:, :, 0])
        # Their y is 1 for REAL; the half of the true class goes on.
        y = 1 - target.label
        zero, one = latent[:, :64].abs().mean((1, 2, 3)), latent[:, 64:].abs().mean((1, 2, 3))
        kept = latent.clone()
        kept[y == 1, :64] = 0
        kept[y == 0, 64:] = 0
        mask, picture = net.net.decode(kept)
        softmax = torch.cat([(-mask).sigmoid(), mask.sigmoid()], dim=1)
        theirs = ((one - y).abs() + (zero - (1 - y)).abs()).sum() / 4
        theirs += functional.cross_entropy(softmax, target.mask[:, 0].long())
        theirs += functional.mse_loss(picture, clips[:, :, 0])
        ours = net.training_loss(clips, target)
    torch.testing.assert_close(ours, theirs)


def test_in_training_the_true_half_is_decoded_in_a_scan_the_stronger_one():
    net = CARD.build().eval()
    seen: list[Tensor] = []
    net.net.shared.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    clips, target = a_batch()
    with torch.no_grad():
        # The half for real pictures is by far the stronger one.
        net.net.encoder[25].bias[64:] = 5
        logit = net(clips).logit
        net.training_loss(clips, target)
    assert (logit < 0).all()
    in_scan, in_training = seen
    assert not in_scan[:, :64].any()
    assert in_scan[:, 64:].all()
    assert in_training[target.label == 0, 64:].all()
    assert not in_training[target.label == 1, 64:].any()


def test_the_recipe_is_the_authors():
    recipe = CARD.recipe
    assert (recipe.optimizer.kind, recipe.optimizer.learning_rate, recipe.optimizer.eps) == (
        "adam",
        1e-3,
        1e-7,
    )
    assert (recipe.optimizer.weight_decay, recipe.sampling.batch_size, recipe.schedule.epochs) == (
        5e-4,
        64,
        100,
    )
    assert recipe.sampling.needs_masks
    weights = CARD.build().net.encoder[1].weight
    assert 0.4 < weights.mean() < 0.6
