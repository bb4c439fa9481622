"""ForensicTransfer and LAE: what their latent halves learn, and where."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from unmask.detectors import Target, get_card
from unmask.losses.split_latent import locality_loss
from unmask.train import apply_settings

NAMES = ("forensic_transfer", "lae")


def build(name: str, **args: object) -> nn.Module:
    torch.manual_seed(0)
    card = get_card(name)
    return replace(card, args={**card.args, **args}).build()


def a_batch() -> tuple[Tensor, Target]:
    """Four clips; the forged ones have noise in their lower half."""
    generator = torch.Generator().manual_seed(1)
    clips = torch.rand(4, 3, 1, 1, 1, generator=generator) - 0.5 + torch.zeros(4, 3, 1, 64, 64)
    label = torch.tensor([0.0, 1.0, 0.0, 1.0])
    mask = torch.zeros(4, 1, 64, 64)
    mask[label == 1, :, 32:] = 1
    noise = torch.rand(4, 3, 1, 64, 64, generator=generator) - 0.5
    return clips + noise * mask[:, None], Target(label=label, mask=mask)


@pytest.fixture(scope="module", params=NAMES)
def trained(request: pytest.FixtureRequest) -> nn.Module:
    """After 25 steps, in train mode."""
    name = request.param
    net = build(name)
    clips, target = a_batch()
    optimizer = torch.optim.Adam(net.parameters(), get_card(name).recipe.optimizer.learning_rate)
    for _ in range(25):
        loss = net.training_loss(clips, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


@pytest.mark.slow
def test_the_halves_learn_their_class_and_where_they_may_be_active(trained: nn.Module):
    clips, target = a_batch()
    with torch.no_grad():
        output = trained(clips)
    assert torch.equal(output.logit > 0, target.label > 0.5)
    forged, real = output.embedding.view(4, 2, 64).mean(dim=2).unbind(1)
    torch.testing.assert_close(output.logit, forged - real)
    if output.mask is None:
        return
    assert output.mask.shape == (4, 1, 4, 4)
    found = output.mask[target.label == 1]
    # The places above the border see a little of what lies below it.
    assert (found[:, :, 2:] > 0).all()
    assert (found[:, :, 0] < 0).all()
    assert (output.mask[target.label == 0] < 0).float().mean() > 0.9


def test_the_map_explains_the_score():
    net = build("lae").eval()
    clips, _ = a_batch()
    with torch.no_grad():
        output = net(clips)
    forged = (output.mask + 0.5).mean(dim=(1, 2, 3))
    real = output.embedding[:, 64:].mean(dim=1)
    torch.testing.assert_close(forged - real, output.logit)


def test_masks_and_picture_have_their_weights():
    clips, target = a_batch()
    assert target.mask is not None
    plain, local = (
        build("lae", locality_weight=weight, picture_weight=0.0).eval() for weight in (0.0, 3.0)
    )
    with torch.no_grad():
        found = local(clips).mask + 0.5
        wanted = plain.training_loss(clips, target) + 3 * locality_loss(found, target.mask)
        torch.testing.assert_close(local.training_loss(clips, target), wanted)
        assert build("lae", locality_weight=0.0).eval().training_loss(clips, target) > (
            plain.training_loss(clips, target)
        )


def test_the_encoder_sees_residuals_or_the_picture():
    card = get_card("forensic_transfer")
    clips, target = a_batch()
    net = card.build().eval()
    plain = apply_settings(card, ["residual=false"]).build().eval()
    assert plain.net.encoder[0][0].in_channels == 3
    with torch.no_grad():
        # A step of brightness leaves no residual; the picture without one shows it.
        torch.testing.assert_close(net(clips + 0.25).logit, net(clips).logit)
        assert not torch.allclose(plain(clips + 0.25).logit, plain(clips).logit)
        assert plain.training_loss(clips, target).isfinite()


def test_the_picture_counts_a_tenth_in_forensic_transfer():
    clips, target = a_batch()
    losses = []
    with torch.no_grad():
        for weight in (0.0, 0.1, 1.0):
            net = build("forensic_transfer", picture_weight=weight).eval()
            losses.append(net.training_loss(clips, target).item())
    assert get_card("forensic_transfer").args["picture_weight"] == 0.1
    assert losses[1] - losses[0] == pytest.approx((losses[2] - losses[0]) / 10, rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_cards_say_that_nothing_is_verified(name: str):
    card = get_card(name)
    assert "not verified against the authors' code" in card.paper.differences[0]
    assert not card.paper.code
    assert not card.weights
    assert card.recipe.sampling.needs_masks == ("mask" in card.outputs)
