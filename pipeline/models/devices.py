"""Which part of this machine a network runs on."""

from __future__ import annotations

import torch

from pipeline.data.errors import UserError

DEVICES = ("auto", "cuda", "mps", "cpu")


def choose_device(name: str = "auto") -> torch.device:
    """The best device there is (CUDA, MPS, CPU), or the named one.

    Raises
    ------
    UserError
        If this machine has no such device.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, is_there in there.items() if is_there))
    kind = name.partition(":")[0]
    if kind not in there:
        raise UserError(f"“{name}” is no device; there are {', '.join(DEVICES)}.")
    if not there[kind]:
        raise UserError(f"This machine has no {kind.upper()} device that PyTorch can use.")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"“{name}” is no device; there are {', '.join(DEVICES)}.") from error
    if kind == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"This machine has {torch.cuda.device_count()} CUDA devices, not {name}.")
    return device


def device_title(device: torch.device) -> str:
    """For people: ``NVIDIA H100 (CUDA)``, ``Apple GPU (MPS)``, ``CPU, 2 threads``."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} (CUDA)"
    if device.type == "mps":
        return "Apple GPU (MPS)"
    n = torch.get_num_threads()
    return f"CPU, {n} thread{'' if n == 1 else 's'}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device had too little memory; only CUDA has an exception type for it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )


def use_threads(count: int | None) -> None:
    """Let networks on the processor use so many threads; None leaves it as it is."""
    if count is not None:
        torch.set_num_threads(count)
