"""Pose networks in PyTorch; the only package that imports it."""

from __future__ import annotations

from pipeline.models.network import PoseNetwork, load_pose_network

__all__ = ["PoseNetwork", "load_pose_network"]
