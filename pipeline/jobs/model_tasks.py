"""Tasks with the files of pose models: list, bring, add, check and remove them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.data.errors import UserError
from pipeline.jobs.messages import Done, Event, File, Job, Progress
from pipeline.jobs.steps import told

if TYPE_CHECKING:
    from pipeline.models.store import ModelStore

Events = Generator[Event, None, None]


def list_models(job: Job) -> Events:
    """What models there are: ``Done`` has ``models``, each as ``simspine models list --json``."""
    from pipeline.models.listing import entry_data

    store = _store(job)
    yield Done(job.id, {"models": [entry_data(entry, store) for entry in store.entries()]})


def get_model(job: Job) -> Events:
    """Bring a model to this machine: args ``name``, ``accept_licence``.

    Also, where given, ``offline`` (a folder looked in first) and ``store`` (the folder of models).
    ``File`` says where it is.
    """
    from pipeline.models.download import get_model as got

    args, store = job.args, _store(job)
    place = yield from told(
        job,
        got(
            store,
            store.card(str(args["name"])),
            accept_licence=bool(args.get("accept_licence", False)),
            offline=Path(args["offline"]) if args.get("offline") else None,
        ),
    )
    yield File(job.id, place)
    yield Done(job.id)


def add_model(job: Job) -> Events:
    """Take a copy of a file that a person has: args ``file``, and perhaps ``store``."""
    from pipeline.models.adding import card_of
    from pipeline.models.loading import check_card

    file, store = Path(job.args["file"]), _store(job)
    if not file.is_file():
        raise UserError(f"{file} cannot be read: there is no such file.")
    yield Progress(job.id, 0.0, f"Looking into {file.name}")
    place = yield from told(job, store.add(file, card_of(store, file), check_card))
    yield File(job.id, place)
    yield Done(job.id)


def check_model(job: Job) -> Events:
    """See whether a model's file is what it was: args ``name``, and perhaps ``store``."""
    from pipeline.models.loading import check_card

    store = _store(job)
    card = store.card(str(job.args["name"]))
    place = yield from told(job, store.usable(card))
    check_card(card, place)
    yield Done(job.id)


def remove_model(job: Job) -> Events:
    """Delete a model's file: args ``name``, and perhaps ``store``."""
    store = _store(job)
    store.remove(store.card(str(job.args["name"])))
    yield Done(job.id)


def _store(job: Job) -> ModelStore:
    from pipeline.models.store import ModelStore

    return ModelStore(Path(job.args["store"]) if job.args.get("store") else None)
