"""Which network a checkpoint holds, told from its tensors' names and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from pipeline.models.cspnext import CspNext
from pipeline.models.hrnet import HrNet
from pipeline.models.layers import HeatmapHead
from pipeline.models.pyramid import PyramidBackbone, RowsHead
from pipeline.models.rtmcc import RtmccHead
from pipeline.models.vit import VisionTransformer

Codec = Literal["simcc", "msra", "udp"]

#: Width after the stem and blocks of each stage (simspine_facts §8, RTMPose's configurations).
RTMPOSE_SIZES: dict[str, tuple[int, tuple[int, int, int, int]]] = {
    "t": (24, (1, 1, 1, 1)),
    "s": (32, (1, 2, 2, 1)),
    "m": (48, (2, 4, 4, 2)),
    "l": (64, (3, 6, 6, 3)),
    "x": (80, (4, 8, 8, 4)),
}
#: Residual blocks of each stage of our own network.
BLOCKS_OF_PYRAMID = (1, 1, 2, 2)
_STRIDE = 32
_BINS_PER_PIXEL = 2
# Published heatmap networks see this; their tensors do not tell.
_USUAL_INPUT = (192, 256)
_VIT_SIZE, _PATCH = 768, 16


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """What is known of a pose network before it runs.

    ``variant`` is its name for people, ``input_size`` (w, h) in pixels, ``codec`` how its output
    says where a keypoint is: ``simcc`` rows of bins, two to a pixel of the input; ``msra``
    heatmaps whose cell i lies at 4·i pixels; ``udp`` heatmaps whose corner cells lie on the
    input's corner pixels.
    """

    variant: str
    n_keypoints: int
    input_size: tuple[int, int]
    codec: Codec


class UnknownArchitectureError(Exception):
    """The tensors belong to no network that is known here; the text says why, for a sentence."""


def describe(
    state: Mapping[str, Tensor], configuration: str = ""
) -> tuple[NetworkSpec, nn.Module, nn.Module]:
    """The network of a state dict and its two parts, not filled yet.

    Parameters
    ----------
    state : mapping
        Tensors by mmpose's names.
    configuration : str
        Text of the training configuration if the checkpoint has it; it tells the input size and
        codec of heatmap networks, which tensors do not.

    Returns
    -------
    spec : NetworkSpec
    backbone, head : Module

    Raises
    ------
    UnknownArchitectureError
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    try:
        if "head.spread_x" in shapes:
            return _pyramid(shapes, configuration)
        if "backbone.stem.2.conv.weight" in shapes:
            return _rtmpose(shapes)
        if "backbone.stage4.0.branches.0.0.conv1.weight" in shapes:
            return _hrnet(shapes, configuration)
        if "backbone.patch_embed.projection.weight" in shapes:
            return _vitpose(shapes, configuration)
    except KeyError as error:
        raise UnknownArchitectureError(f"the tensor {error.args[0]} is missing") from error
    except (IndexError, ValueError) as error:
        raise UnknownArchitectureError("its tensors have unexpected shapes") from error
    raise UnknownArchitectureError(
        "it is neither SpinePose or RTMPose, nor HRNet, nor ViTPose in mmpose's naming"
    )


def _rtmpose(shapes: Mapping[str, tuple[int, ...]]) -> tuple[NetworkSpec, nn.Module, nn.Module]:
    width = shapes["backbone.stem.2.conv.weight"][0]
    counts = [_count(shapes, rf"backbone\.stage{i}\.\d\.blocks\.(\d+)\.") for i in (1, 2, 3, 4)]
    blocks = (counts[0], counts[1], counts[2], counts[3])
    bins = shapes["head.cls_x.weight"][0], shapes["head.cls_y.weight"][0]
    keypoints, channels = shapes["head.final_layer.weight"][:2]
    hidden, cells = shapes["head.mlp.1.weight"]
    size = bins[0] // _BINS_PER_PIXEL, bins[1] // _BINS_PER_PIXEL
    if any(side % _STRIDE for side in size) or size[0] * size[1] != cells * _STRIDE**2:
        raise ValueError
    name = next((n for n, size in RTMPOSE_SIZES.items() if size == (width, blocks)), None)
    spec = NetworkSpec(
        f"RTMPose-{name}" if name else f"RTMPose of width {width}", keypoints, size, "simcc"
    )
    head = RtmccHead(
        channels,
        keypoints,
        cells,
        bins,
        hidden,
        shapes["head.gau.o.weight"][1],
        shapes["head.gau.gamma"][1],
    )
    return spec, CspNext(width, blocks), head


def _pyramid(
    shapes: Mapping[str, tuple[int, ...]], configuration: str
) -> tuple[NetworkSpec, nn.Module, nn.Module]:
    width, n_out = shapes["backbone.stem.conv.weight"][0], shapes["backbone.sides.0.conv.weight"][0]
    stages = _count(shapes, r"backbone\.stages\.(\d+)\.")
    blocks = tuple(_count(shapes, rf"backbone\.stages\.{i}\.(\d+)\.") - 1 for i in range(stages))
    keypoints = shapes["head.spread_x"][0]
    spec = NetworkSpec("Pyramid", keypoints, _input_size(configuration), "simcc")
    return spec, PyramidBackbone(width, blocks, n_out), RowsHead(n_out, keypoints)


def _hrnet(
    shapes: Mapping[str, tuple[int, ...]], configuration: str
) -> tuple[NetworkSpec, nn.Module, nn.Module]:
    width = shapes["backbone.stage4.0.branches.0.0.conv1.weight"][0]
    keypoints = shapes["head.final_layer.weight"][0]
    codec: Codec = "udp" if "UDPHeatmap" in configuration else "msra"
    spec = NetworkSpec(f"HRNet-w{width}", keypoints, _input_size(configuration), codec)
    return spec, HrNet(width), HeatmapHead(width, keypoints, _deconvolutions(shapes))


def _vitpose(
    shapes: Mapping[str, tuple[int, ...]], configuration: str
) -> tuple[NetworkSpec, nn.Module, nn.Module]:
    size, _, patch, _ = shapes["backbone.patch_embed.projection.weight"]
    if (size, patch) != (_VIT_SIZE, _PATCH):
        raise UnknownArchitectureError(
            f"of ViTPose only the base size is known, not tokens of {size} numbers"
        )
    width, height = _input_size(configuration)
    columns, rows = width // _PATCH, height // _PATCH
    if shapes["backbone.pos_embed"][1] != columns * rows:
        raise UnknownArchitectureError(f"it was not trained on pictures of {width} × {height}")
    keypoints = shapes["head.final_layer.weight"][0]
    codec: Codec = "msra" if "MSRAHeatmap" in configuration else "udp"
    layers = _count(shapes, r"backbone\.layers\.(\d+)\.")
    return (
        NetworkSpec("ViTPose-b", keypoints, (width, height), codec),
        VisionTransformer((columns, rows), layers=layers),
        HeatmapHead(size, keypoints, _deconvolutions(shapes)),
    )


def _count(shapes: Mapping[str, tuple[int, ...]], pattern: str) -> int:
    return 1 + max(int(found[1]) for name in shapes if (found := re.match(pattern, name)))


def _deconvolutions(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Output channels; the layers are numbered in threes: convolution, normalisation, ReLU."""
    out: list[int] = []
    while (shape := shapes.get(f"head.deconv_layers.{3 * len(out)}.weight")) is not None:
        out.append(shape[1])
    return tuple(out)


def _input_size(configuration: str) -> tuple[int, int]:
    found = re.search(r"input_size\s*=\s*[(\[]\s*(\d+)\s*,\s*(\d+)\s*,?\s*[)\]]", configuration)
    return (int(found[1]), int(found[2])) if found else _USUAL_INPUT
