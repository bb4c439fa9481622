"""Puts weights of several trainings of one network into one file whose members vote together.

    python -m benchmarks join screener -w FILE -w FILE -o OUT.safetensors [--faces PREPARED]

Each training makes its own mistakes; their mean makes fewer (Lakshminarayanan et al., Simple and
Scalable Predictive Uncertainty Estimation using Deep Ensembles, NeurIPS 2017). It costs as many
passes as there are members. For detectors whose card has an argument ``members``.

A mean of masks is paler than each: with ``--faces`` (real training faces of ``unmask prepare``)
the bias of the mask is moved until, on forgeries made of them, as much is marked as was forged.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import pseudo
from unmask.checkpoints import save_weights
from unmask.clips import normalize
from unmask.detectors import Card, Detector, build, get_card
from unmask.errors import DataError, UnmaskError, UsageError
from unmask.prepare import read_prepared
from unmask.train.samples import Samples
from unmask.train.settings import differing_settings
from unmask.weights import load_detector

_BIAS = "mask_head.bias"
_SEED = 4711


def join(
    name: str,
    weights: list[str],
    out: Path,
    *,
    tag: str = "joined",
    trained_on: str = "",
    faces: Path | None = None,
    pairs: int = 400,
) -> Path:
    """Writes the members as one file of our own, the first under its own keys.

    Args:
        name: a detector whose card has an argument ``members``.
        weights: tags or files, two or more; each of a network with the same arguments and input.
        out: a new file.
        tag: what the file calls itself.
        trained_on: what the file says of its data; else what the members say.
        faces: real faces of ``train`` to set the mask's bias by; None leaves it.
        pairs: how many forgeries are made of them.

    Raises:
        UsageError: the detector has no members, or the files cannot vote together: fewer than two,
            of networks that differ, with members already, the same twice, or not for commercial
            use.
        DataError: ``faces`` are of another split.
        WeightsError: a file cannot be read.
        OutputError: ``out`` exists with other contents.
    """
    if "members" not in get_card(name).args:
        raise UsageError(f"Cannot join weights of {name}: its networks have no members.")
    nets = [load_detector(name, one) for one in weights]
    _check(name, weights, nets)
    first = nets[0].card
    state: dict[str, Tensor] = {}
    for number, net in enumerate(nets):
        prefix = "" if number == 0 else f"others.{number - 1}."
        state |= {f"{prefix}{key}": value for key, value in net.network.state_dict().items()}
    card = first.changed(args={"members": len(nets)})
    notes = {}
    if faces is not None:
        moved = mask_offset(state, card, faces, pairs)
        state |= {key: value + moved for key, value in state.items() if key.endswith(_BIAS)}
        notes["mask_offset"] = f"{moved:.3f}"
    uses = [net.weights for net in nets]
    licenses = sorted({use.license for use in uses})
    return save_weights(
        state,
        out,
        detector=name,
        tag=tag,
        license=" and ".join(licenses),
        trained_on=trained_on or "; ".join(dict.fromkeys(use.trained_on for use in uses)),
        source=" + ".join(Path(use.weights).name for use in uses),
        source_sha256=" + ".join(use.sha256 for use in uses),
        args=card.args,
        input=card.input,
        notes=notes,
    )


def mask_offset(state: Mapping[str, Tensor], card: Card, faces: Path, pairs: int) -> float:
    """What the mask's logits lack for as many of them to be above 0 as places are forged.

    Raises:
        DataError: the faces are not those of a training split.
    """
    found = read_prepared(faces).sequences
    if others := sorted({face.video.split for face in found} - {"train"}):
        raise DataError(f"'{faces}' holds faces of {', '.join(others)}: give those of train alone.")
    augment, _ = pseudo.SETS["as in training"]
    recipe = pseudo.plain_recipe(card)
    samples = Samples(found, card.input, recipe, pairs, _SEED, augment=augment)
    net = build(card).eval()
    net.load_state_dict(dict(state))
    logits, marked = [], []
    with torch.inference_mode():
        for number in range(pairs):
            pixels, _, truth = samples[number][:3]
            mask = net(normalize(pixels, card.input)).mask[1]
            small = torch.nn.functional.adaptive_avg_pool2d(truth[1], mask.shape[-2:])
            logits.append(mask.flatten())
            marked.append((small > 0.5).double().mean())
    every = torch.cat(logits).double().sort().values
    unmarked = round((1 - float(torch.stack(marked).mean())) * len(every))
    return -float(every[min(unmarked, len(every) - 1)])


def _check(name: str, weights: list[str], nets: list[Detector]) -> None:
    if len(nets) < 2:
        raise UsageError("Give at least two files of weights to join: -w FILE -w FILE.")
    if len({net.weights.sha256 for net in nets}) < len(nets):
        raise UsageError("The same weights are given twice: a vote of their own adds nothing.")
    if any(net.weights.is_non_commercial for net in nets):
        raise UsageError("Cannot join weights that are not for commercial use: keep them apart.")
    first = nets[0].card
    for file, net in zip(weights, nets, strict=True):
        if net.card.args["members"] != 1:
            raise UsageError(f"'{file}' has several members already: give the files it is made of.")
        if differing := differing_settings(first, net.card):
            raise UsageError(
                f"'{file}' is of another {name} than '{weights[0]}': {', '.join(differing)}."
            )


def main(arguments: list[str] | None = None) -> int:
    """Joins and prints what was made."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks join", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("detector", help="such as screener")
    parser.add_argument("-w", "--weights", action="append", required=True, help="tag or file")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--tag", default="joined", help="what the file calls itself")
    parser.add_argument("--faces", type=Path, help="made by unmask prepare, of train alone")
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--trained-on", default="", help="else what the members say")
    given = parser.parse_args(arguments)
    try:
        path = join(
            given.detector,
            given.weights,
            given.out,
            tag=given.tag,
            trained_on=given.trained_on,
            faces=given.faces,
            pairs=given.pairs,
        )
    except UnmaskError as error:
        parser.error(str(error))
    print(f"{path}: {len(given.weights)} members, {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
