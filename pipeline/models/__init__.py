"""Pose networks in PyTorch; the only package that imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.models.network import PoseNetwork, load_pose_network

__all__ = ["PoseNetwork", "load_pose_network"]


def __getattr__(name: str) -> Any:
    """What loads PyTorch comes when first used: listing models does not need it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pipeline.models import network

    return getattr(network, name)
