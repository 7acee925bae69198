"""Undo and redo: transactions of authored patches, each one gesture of a person."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.data.patch import Patch


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gesture happened, so that undo can take the user there. -1: no particular one."""

    frame: int = -1
    view: int = -1
    keypoint: int = -1
    track: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Transaction:
    """One gesture: what it is called, what it changed, where, by whom and when (Unix seconds)."""

    label: str
    patches: tuple[Patch, ...]
    place: Place
    author: str
    time: float

    def inverse(self) -> tuple[Patch, ...]:
        """Patches that take the gesture back, in the order to apply them."""
        return tuple(patch.inverse() for patch in reversed(self.patches))

    @property
    def nbytes(self) -> int:
        return sum(patch.nbytes for patch in self.patches)


class History:
    """Done transactions up to ``position``, undone ones after it."""

    def __init__(self, byte_budget: int = 256 * 2**20) -> None:
        self._entries: list[Transaction] = []
        self._position = 0
        self._size = 0
        self._byte_budget = byte_budget

    @property
    def entries(self) -> tuple[Transaction, ...]:
        return tuple(self._entries)

    @property
    def position(self) -> int:
        """Number of transactions that are done."""
        return self._position

    @property
    def can_undo(self) -> bool:
        return self._position > 0

    @property
    def can_redo(self) -> bool:
        return self._position < len(self._entries)

    def push(self, transaction: Transaction) -> None:
        """Add a done transaction; what had been undone is forgotten."""
        self._size -= sum(entry.nbytes for entry in self._entries[self._position :])
        del self._entries[self._position :]
        self._entries.append(transaction)
        self._size += transaction.nbytes
        while self._size > self._byte_budget and len(self._entries) > 1:
            self._size -= self._entries.pop(0).nbytes
        self._position = len(self._entries)

    def prepend(self, earlier: tuple[Transaction, ...]) -> None:
        """Add done transactions, oldest first, from before those that are here."""
        self._entries[:0] = earlier
        self._size += sum(entry.nbytes for entry in earlier)
        self._position += len(earlier)

    def undo(self) -> Transaction:
        """Step back; returns the transaction whose inverse is to be applied."""
        if not self.can_undo:
            raise IndexError("nothing to undo")
        self._position -= 1
        return self._entries[self._position]

    def redo(self) -> Transaction:
        """Step forward; returns the transaction to be applied."""
        if not self.can_redo:
            raise IndexError("nothing to redo")
        self._position += 1
        return self._entries[self._position - 1]
