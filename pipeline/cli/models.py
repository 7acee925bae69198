"""``simspine models``: which pose models there are, and how they come to this machine."""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.arguments import add_command
from pipeline.cli.output import CommandError, Exit, ProgressBar

if TYPE_CHECKING:
    from pipeline.models.store import Entry, ModelStore

_STATES = {"missing": "not here", "begun": "begun", "there": "here"}
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def add_models_command(commands: Any) -> None:
    """Add ``models`` and its own commands to argparse's subparsers."""
    models = commands.add_parser(
        "models",
        help="list, get, add, check and remove pose models",
        description="List, get, add, check and remove pose models. Files that lie in the folder "
        "named by the environment variable SIMSPINE_MODELS are taken before the network is asked.",
    )
    own = models.add_subparsers(required=True, metavar="COMMAND")

    listing = add_command(own, _list, "list", "every model, its licence, and whether it is here")
    listing.add_argument("--json", action="store_true", help="as JSON, for programs")

    get = add_command(own, _get, "get", "bring a model to this machine; goes on where it ended")
    _add_names(get, "+")
    _add_accept(get)
    get.add_argument(
        "--from",
        dest="folder",
        type=Path,
        metavar="FOLDER",
        help="look for the file here first, such as on a stick",
    )

    add = add_command(own, _add, "add", "take a file of weights, such as one you trained")
    add.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help=".pth of mmpose's naming, or .onnx; a card beside it (FILE.toml) is taken along",
    )
    add.add_argument(
        "--name", metavar="NAME", help="what to call it, or the listed model that it is"
    )
    add.add_argument("--title", metavar="TEXT", help="what to call it in the window")
    add.add_argument(
        "--skeleton", metavar="NAME", help="order of its keypoints (default: told by their number)"
    )
    add.add_argument("--licence", default="", metavar="TEXT", help="of the weights")
    add.add_argument(
        "--non-commercial", action="store_true", help="the licence forbids commercial use"
    )
    _add_accept(add)

    check = add_command(own, _check, "check", "read models again and compare their hashes")
    _add_names(check, "*", "; without one, all that are here")

    remove = add_command(own, _remove, "remove", "delete a model's file")
    _add_names(remove, "+")
    remove.add_argument(
        "--forget", action="store_true", help="its hash and its accepted licence, too"
    )


def _add_names(parser: argparse.ArgumentParser, count: str, more: str = "") -> None:
    parser.add_argument("names", nargs=count, metavar="NAME", help=f"as “list” has it{more}")


def _add_accept(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--accept-licence",
        action="store_true",
        help="you accept the licence of weights that forbid commercial use",
    )


def _store() -> ModelStore:
    from pipeline.models.store import ModelStore

    return ModelStore()


def _list(arguments: argparse.Namespace) -> int:
    from pipeline.models.listing import entry_data

    store = _store()
    entries = store.entries()
    if arguments.json:
        print(json.dumps([entry_data(entry, store) for entry in entries], indent=1))
    else:
        print(as_text(entries, store))
    return Exit.OK


def as_text(entries: tuple[Entry, ...], store: ModelStore) -> str:
    """All models as lines to read."""
    width = max(len(entry.card.name) for entry in entries)
    lines = []
    for entry in sorted(entries, key=lambda entry: entry.state == "missing"):
        card = entry.card
        licence = card.licence or "licence not stated"
        if card.non_commercial:
            licence += ", not for commercial use" + (", accepted" if entry.accepted else "")
        lines.append(f"{card.name:<{width}}  {_STATES[entry.state]:<8}  {card.title}; {licence}")
    return "\n".join([*lines, "", f"Files are kept in {store.folder}"])


def _get(arguments: argparse.Namespace) -> int:
    from pipeline.models.download import get_model

    store = _store()
    cards = [store.card(name) for name in arguments.names]
    for card in cards:
        with ProgressBar() as bar:
            place = bar.follow(
                get_model(
                    store, card, accept_licence=arguments.accept_licence, offline=arguments.folder
                )
            )
        print(f"{card.name}: {place}")
    return Exit.OK


def _add(arguments: argparse.Namespace) -> int:
    from pipeline.models.adding import card_of, name_of
    from pipeline.models.loading import check_card

    store, file = _store(), arguments.file.expanduser()
    if not file.is_file():
        raise CommandError(Exit.UNUSABLE, f"{file} cannot be read: there is no such file.")
    name = arguments.name or name_of(file)
    if not _NAME.fullmatch(name):
        raise CommandError(
            Exit.USAGE,
            f"“{name}” is no name of a model: it takes small letters, digits, points and dashes.",
        )
    card = card_of(
        store,
        file,
        name,
        arguments.title,
        arguments.skeleton,
        arguments.licence,
        arguments.non_commercial,
    )
    if arguments.accept_licence:
        store.accept(card)
    with ProgressBar() as bar:
        place = bar.follow(store.add(file, card, check_card))
    print(f"{name}: {place}")
    return Exit.OK


def _check(arguments: argparse.Namespace) -> int:
    from pipeline.data.errors import UserError
    from pipeline.models.loading import check_card

    store = _store()
    cards = [store.card(name) for name in arguments.names] or [
        entry.card for entry in store.entries() if entry.state == "there"
    ]
    wrong: list[str] = []
    for card in cards:
        with ProgressBar() as bar:
            try:
                place = bar.follow(store.usable(card))
                held = check_card(card, place)
            except UserError as error:
                wrong.append(str(error))
                continue
        known = store.known(card)
        since = f", since {_day(known.since)}" if known else ""
        print(f"{card.name}: {held}, unchanged{since}")
    if wrong:
        raise CommandError(Exit.FAILED, "\n".join(wrong))
    if not cards:
        print("No model is on this machine yet.")
    return Exit.OK


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(seconds))


def _remove(arguments: argparse.Namespace) -> int:
    store = _store()
    for name in arguments.names:
        card = store.card(name)
        gone = store.remove(card, forget=arguments.forget)
        print(f"{name}: {'removed' if gone else 'was not here'}")
    return Exit.OK
