"""A small web server for tests of downloads, with the faults that real ones have."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FileServer:
    """What is served, how badly, and what was asked.

    ``files`` by path; ``ranges`` False: it does not know of parts; ``cut_after`` bytes the
    connection breaks, once for each number; ``stall``: it never answers; ``moved`` maps a path to
    another address; ``asked`` has path and headers of each request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    tag: str = '"first"'
    ranges: bool = True
    says_length: bool = True
    cut_after: list[int] = field(default_factory=list)
    status: dict[str, int] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    stall: threading.Event | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    address: str = ""


@contextlib.contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    """Serve on a free port of this machine; ``server.address`` says where."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, server)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server.address = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            if server.stall is not None:
                server.stall.set()
            http.shutdown()
            thread.join()


def _answer(request: BaseHTTPRequestHandler, server: FileServer) -> None:
    path = request.path
    if path.startswith("http://"):  # asked as a proxy
        path = "/" + path.split("/", 3)[3]
    server.asked.append((request.path, dict(request.headers.items())))
    if server.stall is not None:
        server.stall.wait(20)
        return
    if path in server.moved:
        request.send_response(302)
        request.send_header("Location", server.moved[path])
        request.end_headers()
        return
    content = server.files.get(path)
    status = server.status.get(path, 200 if content is not None else 404)
    if content is None or status != 200:
        request.send_error(status)
        return
    start = 0
    wanted = request.headers.get("Range", "")
    same = request.headers.get("If-Range", server.tag) == server.tag
    if server.ranges and same and wanted.startswith("bytes="):
        start = int(wanted[6:].partition("-")[0])
        if start >= len(content):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(content)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    if server.tag:
        request.send_header("ETag", server.tag)
    body = content[start:]
    if server.says_length:
        request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if server.cut_after:
        body = body[: server.cut_after.pop(0)]
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        request.wfile.write(body)
