"""Connections drawn across missing keypoints, so that a person stays one figure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Pair = tuple[int, int]


def bridges(xyz: FloatArray, links: Iterable[Pair]) -> list[Pair]:
    """Pairs of present keypoints to connect because what lies between them is missing.

    Around every connected group of missing keypoints, the present ones that it touches are joined
    by their shortest tree.

    Parameters
    ----------
    xyz : (K, 3) array
        Points in metres; NaN where missing.
    links : iterable of (int, int)
        Keypoints that belong together.

    Returns
    -------
    list of (int, int)
        At most K pairs.
    """
    there = np.asarray(np.isfinite(xyz).all(axis=1))
    neighbours: list[set[int]] = [set() for _ in xyz]
    for a, b in links:
        neighbours[a].add(b)
        neighbours[b].add(a)
    pairs: list[Pair] = []
    waiting = set(np.flatnonzero(~there).tolist())
    while waiting:
        group, edge = [waiting.pop()], set()
        for missing in group:
            for other in neighbours[missing]:
                if there[other]:
                    edge.add(other)
                elif other in waiting:
                    waiting.remove(other)
                    group.append(other)
        pairs += _shortest_tree(xyz, sorted(edge))
    return pairs


def _shortest_tree(xyz: FloatArray, nodes: list[int]) -> list[Pair]:
    """Prim's algorithm on straight distances."""
    tree, pairs = nodes[:1], []
    outside = nodes[1:]
    while outside:
        gaps = np.linalg.norm(xyz[tree][:, None] - xyz[outside][None], axis=-1)
        i, j = np.unravel_index(np.argmin(gaps), gaps.shape)
        node = outside.pop(int(j))
        pairs.append((tree[int(i)], node))
        tree.append(node)
    return pairs
