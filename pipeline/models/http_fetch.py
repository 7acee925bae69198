"""One HTTP request in a thread of its own, so that nobody has to wait for a silent server."""

from __future__ import annotations

import http.client
import queue
import re
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass

from pipeline import __version__

_BLOCK = 1 << 18
# A server that says nothing for so long is given up; asked to stop, nobody waits for it.
_SILENCE = 30.0
_TICK = 0.2
_WAITING_BLOCKS = 16


@dataclass(frozen=True, slots=True)
class Begun:
    """What a server answered: from which byte on, the file's whole size, and its version."""

    start: int
    total: int | None
    version: str


class CutError(Exception):
    """The connection failed; it may do better the next time. The text is the cause."""


class NotThereError(Exception):
    """The address has no such file, or not for us. The text is what the server answered."""


class Fetch:
    """A request for a file from byte ``start`` of version ``version`` on.

    :meth:`next` gives what has come, in this order: one ``Begun``, blocks of bytes, and at the end
    ``b""``; None where nothing came within a moment.
    """

    def __init__(self, address: str, start: int = 0, version: str = "") -> None:
        self._address, self._start, self._version = address, start, version
        self._came: queue.Queue[Begun | bytes | Exception] = queue.Queue(_WAITING_BLOCKS)
        self._stop = threading.Event()
        threading.Thread(target=self._run, daemon=True, name="simspine-download").start()

    def next(self) -> Begun | bytes | None:
        """The next piece; CutError or NotThereError where there is no more."""
        try:
            piece = self._came.get(timeout=_TICK)
        except queue.Empty:
            return None
        if isinstance(piece, Exception):
            raise piece
        return piece

    def close(self) -> None:
        """Want no more."""
        self._stop.set()

    def _say(self, piece: Begun | bytes | Exception) -> None:
        while not self._stop.is_set():
            try:
                self._came.put(piece, timeout=_TICK)
                return
            except queue.Full:
                continue

    def _run(self) -> None:
        try:
            self._transfer()
        except (CutError, NotThereError) as error:
            self._say(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._say(CutError(_cause(error)))

    def _transfer(self) -> None:
        try:
            response = self._opened(self._start)
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            # What is here is the whole file, or of another one.
            total = _total(error.headers.get("Content-Range", ""))
            error.close()
            if total == self._start:
                self._say(Begun(self._start, total, self._version))
                self._say(b"")
                return
            response = self._opened(0)
        with response:
            begun = self._begun(response)
            self._say(begun)
            done = begun.start
            while not self._stop.is_set():
                block = response.read1(_BLOCK)
                if not block:
                    break
                done += len(block)
                self._say(block)
            if begun.total is not None and done < begun.total:
                raise CutError("the connection was cut")
            self._say(b"")

    def _opened(self, start: int) -> http.client.HTTPResponse:
        request = urllib.request.Request(self._address)
        request.add_header("User-Agent", f"simspine-viewer/{__version__}")
        request.add_header("Accept-Encoding", "identity")
        if start and self._version:
            request.add_header("Range", f"bytes={start}-")
            request.add_header("If-Range", self._version)
        # Not urlopen, which keeps the proxies of the first time it was called.
        opener = urllib.request.build_opener()
        try:
            response: http.client.HTTPResponse = opener.open(request, timeout=_SILENCE)
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            answer = f"the server answered {error.code} {error.reason}"
            error.close()
            if error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                raise NotThereError(answer) from error
            raise CutError(answer) from error
        return response

    def _begun(self, response: http.client.HTTPResponse) -> Begun:
        # A weak ETag may stand for other bytes, so that it says nothing about where to go on.
        tag = response.headers.get("ETag", "")
        version = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")
        if response.status == http.HTTPStatus.PARTIAL_CONTENT:
            asked = response.headers.get("Content-Range", "")
            if not asked.startswith(f"bytes {self._start}-"):
                raise CutError("the server sent another part of the file than was asked for")
            return Begun(self._start, _total(asked), version or self._version)
        length = response.headers.get("Content-Length")
        return Begun(0, int(length) if length else None, version)


def _total(content_range: str) -> int | None:
    found = re.search(r"/(\d+)$", content_range)
    return int(found[1]) if found else None


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, TimeoutError):
        return "it did not answer"
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return str(text).rstrip(".")
