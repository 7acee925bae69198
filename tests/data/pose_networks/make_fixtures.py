"""Makes the fixtures of this folder with mmpose itself; see README.md for its environment.

Run from the repository: ``python tests/data/pose_networks/make_fixtures.py``.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import sys
import types
import warnings
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.truth.drawn_peaks import bump_rows, heat_pictures, sample_places
from tests.truth.random_network import names_digest, random_pictures, random_state

HERE = Path(__file__).resolve().parent
# mmpose imports these for evaluation and other tasks; no network here uses them.
UNUSED = ("xtcocotools", "pycocotools", "torchvision", "transformers", "mmcv.ops")
CONFIGURATIONS = {
    "s": "rtmpose/body8/rtmpose-s_8xb1024-700e_body8-halpe26-256x192.py",
    "m": "rtmpose/body8/rtmpose-m_8xb512-700e_body8-halpe26-256x192.py",
    "l": "rtmpose/body8/rtmpose-l_8xb512-700e_body8-halpe26-256x192.py",
    "x": "rtmpose/body8/rtmpose-x_8xb256-700e_body8-halpe26-384x288.py",
    "hrnet": "topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py",
    "vitpose": "topdown_heatmap/coco/td-hm_ViTPose-base_8xb64-210e_coco-256x192.py",
}
KEYPOINTS, PICTURES, SAMPLES, SEED = 37, 2, 400, 5


class _Absent(types.ModuleType):
    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if any(name == n or name.startswith(f"{n}.") for n in UNUSED):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Absent(spec.name)

    def exec_module(self, module: types.ModuleType) -> None: ...


def network(configuration: str) -> Any:
    """mmpose's own network with 37 keypoints."""
    import mmpose
    from mmengine.config import Config
    from mmpose.registry import MODELS

    folder = Path(mmpose.__file__).parent / ".mim/configs/body_2d_keypoint"
    model = Config.fromfile(folder / configuration).model
    model.backbone.pop("init_cfg", None)
    if "norm_cfg" in model.backbone:
        model.backbone.norm_cfg.type = "BN"  # SyncBN's parameters; it needs several processes
    model.head.out_channels = KEYPOINTS
    return MODELS.build(model).eval()


def forward(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What mmpose gives for random weights and pictures, and where samples of it were taken."""
    import torch

    ours = network(CONFIGURATIONS[name])
    shapes = {key: tuple(value.shape) for key, value in ours.state_dict().items()}
    state = random_state(shapes, SEED)
    ours.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
    width, height = ours.head.decoder.input_size
    with torch.no_grad():
        out = ours.forward(torch.from_numpy(random_pictures(PICTURES, (width, height), SEED)), None)
    parts = [part.numpy() for part in (out if isinstance(out, tuple) else (out,))]
    arrays, facts = {}, []
    for i, part in enumerate(parts):
        where = np.random.default_rng(SEED + i).choice(part.size, SAMPLES, replace=False)
        arrays[f"{name}_{i}"] = part.ravel()[where].astype(np.float32)
        facts.append({"shape": part.shape, "mean": float(part.mean()), "sd": float(part.std())})
    about = {
        "parameters": sum(p.numel() for p in ours.parameters()),
        "tensors": len(shapes),
        "names": names_digest(shapes),
        "input_size": [width, height],
        "outputs": facts,
    }
    return arrays, about


def decoding() -> dict[str, Any]:
    """Where mmpose's codecs find drawn peaks, in pixels of the input."""
    from mmpose.codecs import MSRAHeatmap, SimCCLabel, UDPHeatmap

    places = sample_places()
    rows = bump_rows(places)
    simcc = SimCCLabel((192, 256), sigma=(4.9, 5.66), simcc_split_ratio=2.0, normalize=False)
    size: dict[str, Any] = {"input_size": (192, 256), "heatmap_size": (48, 64), "sigma": 2}
    found = {
        "simcc": simcc.decode(rows[0][None], rows[1][None]),
        "msra": MSRAHeatmap(**size).decode(heat_pictures(places, "msra")),
        "msra_dark": MSRAHeatmap(**size, unbiased=True).decode(heat_pictures(places, "msra")),
        "udp": UDPHeatmap(**size).decode(heat_pictures(places, "udp")),
    }
    return {
        f"decoded_{name}": np.column_stack((points[0], scores[0])).astype(np.float32)
        for name, (points, scores) in found.items()
    }


def main() -> None:
    warnings.simplefilter("ignore")
    sys.meta_path.insert(0, _Finder())
    import mmpose.models
    import mmpretrain.models  # noqa: F401 - registers the transformer
    from mmengine.registry import init_default_scope

    init_default_scope("mmpose")
    arrays: dict[str, Any] = decoding()
    about = {"mmpose": mmpose.__version__, "seed": SEED, "pictures": PICTURES, "networks": {}}
    for name in CONFIGURATIONS:
        values, about["networks"][name] = forward(name)
        arrays |= values
    np.savez_compressed(HERE / "mmpose.npz", **arrays)
    (HERE / "mmpose.json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
