"""Getting weights from where they are published: resumable, and stopped at once when asked to.

What has come is kept beside the file as ``NAME.part``, with ``NAME.part.json`` saying of which
version of which address. A later try goes on from there if the server still has that version
(``Range`` with ``If-Range``) and starts anew otherwise. Proxies are those of the environment.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Generator
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.models.cards import ModelCard
from pipeline.models.files import Step, megabytes, part_of, require_space
from pipeline.models.http_fetch import Begun, CutError, Fetch, NotThereError
from pipeline.models.loading import check_card
from pipeline.models.store import Check, ModelStore

#: Environment variable with a folder of weights that is looked in before the network.
OFFLINE_FOLDER = "SIMSPINE_MODELS"

# A connection that is cut is taken up again so often, as long as each brings something.
_TRIES = 5
# Left free beside the file: the system and the project need some.
_SPARE = 32 << 20


def get_model(
    store: ModelStore,
    card: ModelCard,
    *,
    accept_licence: bool = False,
    offline: Path | None = None,
    check: Check = check_card,
) -> Generator[Step, None, Path]:
    """Bring a model to this machine, if it is not there.

    Parameters
    ----------
    store : ModelStore
    card : ModelCard
    accept_licence : bool
        The person accepts the card's licence; remembered.
    offline : Path, optional
        A folder in which the file is looked for first, by its own name or the model's; by default
        that of the environment variable :data:`OFFLINE_FOLDER`, if any.
    check : callable
        Raises UserError where a file is not what a card says.

    Yields
    ------
    fraction : float
    text : str

    Returns
    -------
    Path
        The file, its hash as remembered.

    Raises
    ------
    UserError
        If the licence is not accepted, the file cannot be had, is no such network, is another one
        than was known, or does not fit on the disk.
    """
    if accept_licence:
        store.accept(card)
    store.check_licence(card)
    place = store.place(card)
    if place.is_file():
        return (yield from store.usable(card))
    found = _found_offline(card, offline)
    if found is not None:
        return (yield from store.add(found, card, check))
    if not card.addresses:
        raise UserError(f"{card.title} is not on this machine, and its card names no address.")
    part = part_of(place)
    address = yield from _from_first_that_has_it(card, part)
    try:
        yield 1.0, f"Looking into {place.name}"
        check(card, part)
        yield from store.verify(card, part, address)
    except UserError as error:
        forget_part(place)
        raise UserError(str(error).replace(str(part), f"What {address} sent", 1)) from error
    os.replace(part, place)
    forget_part(place)
    return place


def forget_part(place: Path) -> None:
    """Delete what has come of a file that is not wanted any more."""
    for path in (part_of(place), _about(part_of(place))):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def _found_offline(card: ModelCard, folder: Path | None) -> Path | None:
    if folder is None and os.environ.get(OFFLINE_FOLDER):
        folder = Path(os.environ[OFFLINE_FOLDER]).expanduser()
    if folder is None:
        return None
    if not folder.is_dir():
        raise UserError(f"The folder of models {folder} does not exist.")
    own = Path(card.file_name)
    names = (own.name, f"{card.name}{own.suffix}")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _from_first_that_has_it(card: ModelCard, part: Path) -> Generator[Step, None, str]:
    """Fill ``part`` from one of the card's addresses, which is returned."""
    refusal = ""
    for address in card.addresses:
        host = address.split("/")[2]
        for tried in range(1, _TRIES + 1):
            before = _size(part)
            try:
                yield from _filled(address, part, card)
                return address
            except NotThereError as error:
                refusal = f"{host}: {error}"
                break
            except CutError as error:
                have = _size(part)
                if have > before and tried < _TRIES:
                    continue
                kept = f"; {megabytes(have)} are kept for the next try" if have else ""
                raise UserError(
                    f"{card.title} could not be got from {host}: {error}{kept}."
                ) from error
    raise UserError(f"{card.title} could not be got from {refusal}.")


def _filled(address: str, part: Path, card: ModelCard) -> Generator[Step, None, None]:
    """One try to fill ``part``, from where the last one ended."""
    host = address.split("/")[2]
    fetch = Fetch(address, *_kept(part, address))
    try:
        while not isinstance(begun := fetch.next(), Begun):
            yield 0.0, f"Asking {host}"
        total = begun.total
        if None not in (total, card.size) and total != card.size:
            raise UserError(
                f"{address} has {total} bytes, but {card.title} has {card.size}; it was not taken."
            )
        require_space(part.parent, (total or card.size or 0) - begun.start + _SPARE, card.title)
        yield from _written(fetch, begun, part, address, card)
    finally:
        fetch.close()


def _written(
    fetch: Fetch, begun: Begun, part: Path, address: str, card: ModelCard
) -> Generator[Step, None, None]:
    done, total = begun.start, begun.total or card.size
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _about(part).write_text(json.dumps({"address": address, "version": begun.version}), "utf-8")
        with part.open("r+b" if begun.start else "wb") as handle:
            if begun.start:
                handle.truncate(handle.seek(begun.start))
            while (piece := fetch.next()) != b"":
                if isinstance(piece, bytes):
                    handle.write(piece)
                    done += len(piece)
                of = f" of {megabytes(total)}" if total else ""
                yield done / total if total else 0.0, f"{megabytes(done)}{of} of {card.title}"
    except OSError as error:
        raise UserError(f"{part.parent} cannot take {card.title}: {error.strerror}.") from error


def _kept(part: Path, address: str) -> tuple[int, str]:
    """How many bytes of an address are here, and of which version; (0, "") where it is unclear."""
    try:
        about = json.loads(_about(part).read_text("utf-8"))
        version = str(about["version"]) if about["address"] == address else ""
    except (OSError, ValueError, KeyError, TypeError):
        # Without a note of what the bytes are of, they are fetched anew.
        version = ""
    return (_size(part), version) if version else (0, "")


def _about(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
