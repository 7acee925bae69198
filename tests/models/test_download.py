"""Weights got from a server of this machine that has the faults of real ones."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections import namedtuple
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from pipeline.data.errors import UserError
from pipeline.models import download
from pipeline.models.cards import ModelCard
from pipeline.models.files import part_of
from pipeline.models.store import ModelStore
from tests.truth.file_server import FileServer, serving
from tests.truth.tiny_pose_network import tiny_checkpoint

T = TypeVar("T")
Steps = Generator[tuple[float, str], None, Path]
CONTENT = bytes(range(256)) * 12_000  # 3 MB
PATH = "/weights/tiny-3_256x192.pth"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(FileServer({PATH: CONTENT})) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "SIMSPINE_MODELS"):
        monkeypatch.delenv(name, raising=False)
    return ModelStore(tmp_path / "models")


def _card(server: FileServer, *paths: str, **facts: object) -> ModelCard:
    addresses = tuple(server.address + path for path in (paths or (PATH,)))
    values = {"licence": "MIT", "non_commercial": False, "addresses": addresses, **facts}
    return ModelCard("tiny", "Tiny", "spinetrack_37", **values)  # type: ignore[arg-type]


def get_model(store: ModelStore, card: ModelCard, **options: object) -> Steps:
    """As the function under test, but what arrives need not be a network."""
    return download.get_model(store, card, check=lambda *_: None, **options)  # type: ignore[arg-type]


def _done(steps: Generator[object, None, T]) -> T:
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def _refused(store: ModelStore, card: ModelCard, *words: str, **options: object) -> None:
    with pytest.raises(UserError) as refused:
        _done(get_model(store, card, **options))
    text = str(refused.value)
    assert text.endswith(".")
    assert "\n" not in text
    for word in words:
        assert word in text


def test_a_file_arrives_with_progress_and_is_not_asked_for_again(
    server: FileServer, store: ModelStore
) -> None:
    card = _card(server)
    steps = list(get_model(store, card))
    assert store.place(card).read_bytes() == CONTENT
    fractions = [fraction for fraction, text in steps if "of Tiny" in text]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any("3.1 MB of 3.1 MB" in text for _, text in steps)
    _done(get_model(store, card))
    assert len(server.asked) == 1
    assert [path.name for path in store.place(card).parent.iterdir()] == ["tiny-3_256x192.pth"]
    known = store.known(card)
    assert known is not None
    assert known.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_a_cut_connection_is_taken_up_again_where_it_ended(
    server: FileServer, store: ModelStore
) -> None:
    server.cut_after = [1_000_000, 700_000]
    assert _done(get_model(store, _card(server))).read_bytes() == CONTENT
    ranges = [headers.get("Range") for _, headers in server.asked]
    assert ranges == [None, "bytes=1000000-", "bytes=1700000-"]


def test_a_later_session_goes_on_after_one_that_was_stopped(
    server: FileServer, store: ModelStore
) -> None:
    card = _card(server)
    steps = get_model(store, card)
    while not any(
        part_of(store.place(card)).exists() and fraction > 0.0 for fraction, _ in [next(steps)]
    ):
        pass
    steps.close()
    have = part_of(store.place(card)).stat().st_size
    assert 0 < have < len(CONTENT)
    assert store.state(card) == "begun"
    assert _done(get_model(store, card)).read_bytes() == CONTENT
    assert server.asked[-1][1]["Range"] == f"bytes={have}-"


def test_a_server_without_ranges_starts_anew(server: FileServer, store: ModelStore) -> None:
    server.ranges, server.cut_after = False, [1_000_000]
    assert _done(get_model(store, _card(server))).read_bytes() == CONTENT


def test_another_version_on_the_server_is_not_glued_to_the_first(
    server: FileServer, store: ModelStore
) -> None:
    card = _card(server)
    server.cut_after = [900_000, 0]
    _refused(store, card, "Tiny", "the connection was cut", "0.9 MB are kept")
    server.files[PATH], server.tag = CONTENT[::-1], '"second"'
    assert _done(get_model(store, card)).read_bytes() == CONTENT[::-1]


def test_a_server_that_names_no_version_is_asked_for_everything_again(
    server: FileServer, store: ModelStore
) -> None:
    server.tag, server.cut_after = "", [900_000]
    assert _done(get_model(store, _card(server))).read_bytes() == CONTENT
    assert server.asked[-1][1].get("Range") is None


def test_a_part_that_is_complete_already_is_taken(server: FileServer, store: ModelStore) -> None:
    card = _card(server)
    server.cut_after = [900_000, 0]
    _refused(store, card, "was cut")
    part_of(store.place(card)).write_bytes(CONTENT)
    assert _done(get_model(store, card)).read_bytes() == CONTENT


def test_a_server_that_says_no_length(server: FileServer, store: ModelStore) -> None:
    server.says_length = False
    assert _done(get_model(store, _card(server))).read_bytes() == CONTENT


def test_a_redirect_is_followed_with_the_range(server: FileServer, store: ModelStore) -> None:
    server.moved["/moved.pth"] = server.address + PATH
    server.cut_after = [1_000_000]
    assert _done(get_model(store, _card(server, "/moved.pth"))).read_bytes() == CONTENT
    assert server.asked[-1][0] == PATH
    assert server.asked[-1][1]["Range"] == "bytes=1000000-"


def test_the_second_address_where_the_first_is_gone(server: FileServer, store: ModelStore) -> None:
    assert _done(get_model(store, _card(server, "/gone.pth", PATH))).read_bytes() == CONTENT


def test_an_address_that_is_gone(server: FileServer, store: ModelStore) -> None:
    _refused(store, _card(server, "/gone.pth"), "Tiny", "127.0.0.1", "404 Not Found")


def test_a_server_in_trouble(server: FileServer, store: ModelStore) -> None:
    server.status[PATH] = 503
    _refused(store, _card(server), "Tiny", "503 Service Unavailable")


def test_no_server_at_all(store: ModelStore) -> None:
    gone = FileServer(address="http://127.0.0.1:9")
    _refused(store, _card(gone), "Tiny", "127.0.0.1:9", "refused")


def test_a_silent_server_keeps_nobody_waiting(server: FileServer, store: ModelStore) -> None:
    server.stall = threading.Event()
    steps = get_model(store, _card(server))
    assert next(steps)[1].startswith("Asking 127.0.0.1")
    next(steps)
    before = time.monotonic()
    steps.close()
    assert time.monotonic() - before < 1.0


def test_a_file_of_another_size_than_the_card_says(server: FileServer, store: ModelStore) -> None:
    _refused(store, _card(server, size=5), "3072000 bytes", "Tiny has 5", "not taken")
    assert not store.place(_card(server)).exists()


def test_a_file_of_another_hash_than_its_publisher_says(
    server: FileServer, store: ModelStore
) -> None:
    card = _card(server, sha256_starts="00c0ffee", publisher="Ada")
    _refused(store, card, server.address + PATH, "SHA-256", "Ada says 00c0ffee")
    assert store.state(card) == "missing"


def test_a_file_that_changed_since_it_was_first_got(server: FileServer, store: ModelStore) -> None:
    card = _card(server)
    _done(get_model(store, card))
    store.remove(card)
    server.files[PATH], server.tag = CONTENT[:-1] + b"!", '"second"'
    _refused(store, card, server.address, "not the file that was Tiny", "--forget")
    assert store.state(card) == "missing"
    store.remove(card, forget=True)
    assert _done(get_model(store, card)).read_bytes()[-1:] == b"!"


def test_a_file_that_was_tampered_with_on_this_machine(
    server: FileServer, store: ModelStore
) -> None:
    card = _card(server)
    place = _done(get_model(store, card))
    place.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(UserError, match=r"not the file that was Tiny on this machine since 20\d\d"):
        _done(store.usable(card))


def test_a_full_disk_is_noticed_before(
    server: FileServer, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1_000_000))
    _refused(store, _card(server), "Tiny needs", "only 1.0 MB are free", str(store.folder))
    assert not part_of(store.place(_card(server))).exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_disk_that_gets_full_meanwhile(server: FileServer, store: ModelStore) -> None:
    card = _card(server)
    part = part_of(store.place(card))
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    _refused(store, card, str(part.parent), "cannot take Tiny: No space left on device")


def test_a_licence_that_forbids_commerce_is_accepted_first(
    server: FileServer, store: ModelStore
) -> None:
    card = _card(server, licence="CC BY-NC 4.0", non_commercial=True)
    _refused(store, card, "CC BY-NC 4.0", "forbids commercial use", "--accept-licence")
    assert server.asked == []
    _done(get_model(store, card, accept_licence=True))
    store.remove(card)
    _done(get_model(store, card))  # said once, not asked again


def test_a_proxy_of_the_environment(
    server: FileServer, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    elsewhere = FileServer(address="http://weights.invalid")
    assert _done(get_model(store, _card(elsewhere))).read_bytes() == CONTENT
    assert server.asked[0][0] == f"http://weights.invalid{PATH}"


@pytest.mark.parametrize("name", ["tiny-3_256x192.pth", "tiny.pth"])
def test_an_offline_folder_goes_before_the_network(
    server: FileServer,
    store: ModelStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / name).write_bytes(CONTENT)
    monkeypatch.setenv("SIMSPINE_MODELS", str(folder))
    assert _done(get_model(store, _card(server))).read_bytes() == CONTENT
    assert server.asked == []
    monkeypatch.setenv("SIMSPINE_MODELS", str(tmp_path / "none"))
    store.remove(_card(server))
    _refused(store, _card(server), "none", "does not exist")


def test_what_is_no_network_is_neither_kept_nor_remembered(
    server: FileServer, store: ModelStore
) -> None:
    server.files[PATH] = b"<html>Please log in</html>"
    card = _card(server)
    with pytest.raises(UserError, match=r"^What http://127\S+ sent is no PyTorch checkpoint\.$"):
        _done(download.get_model(store, card))
    assert store.state(card) == "missing"
    assert store.known(card) is None


def test_a_network_of_other_keypoints_is_not_taken(
    server: FileServer, store: ModelStore, tmp_path: Path
) -> None:
    server.files[PATH] = tiny_checkpoint(tmp_path / "net.pth", 26).read_bytes()
    with pytest.raises(UserError, match="finds 26 keypoints, but SpineTrack 37 has 37"):
        _done(download.get_model(store, _card(server)))
