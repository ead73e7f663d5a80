"""A Hugging Face Hub on this machine: the protocol, the record of requests, the faults."""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import RLock, Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.hub.call import Account, Call, RefusedError, Reply
from tests.hub.faults import Action, Answer, Cut, Faults, Hold
from tests.hub.routes import route
from tests.hub.store import Repository, new_repository
from tests.hub.xet import XetStore

WRITE, READ, STRANGER = "hf_write", "hf_read", "hf_stranger"


@dataclass(frozen=True, kw_only=True)
class RecordedRequest:
    """A request and its outcome; status 0 means that the connection was cut."""

    method: str
    path: str
    status: int
    received: int
    sent: int
    range: str | None = None


class Hub:
    """Speaks the Hub's HTTP on 127.0.0.1 while its ``with`` block runs.

    Attributes:
        url: URL of the Hub, which clients call the endpoint.
        tokens: Accounts by token. ``WRITE`` and ``READ`` belong to the user ``tester``, a member
            of ``org`` (and ``me`` with ``WRITE``). ``STRANGER`` belongs to a user who may write,
            but not to these.
        repositories: Repositories by kind (``datasets``) and name.
        objects: The large file storage, by SHA-256.
        requests: Every request, in the order of the replies.
        errors: Errors of the server itself; a test that sees one has found a bug.
        page: Most entries on one page of a tree.
        xet: Store of chunks for clients with Xet; None without Xet.
        part_bytes: Size of the parts in which large files are uploaded; None for whole files.
    """

    def __init__(self) -> None:
        self.tokens = {
            WRITE: Account("tester", ("org", "me")),
            READ: Account("tester", ("org",), write=False),
            STRANGER: Account("stranger"),
        }
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.uploaded_parts: dict[tuple[str, int], bytes] = {}
        self.requests: list[RecordedRequest] = []
        self.errors: list[BaseException] = []
        self.page = 1000
        self.part_bytes: int | None = None
        self.xet: XetStore | None = None
        self.faults = Faults()
        self.lock = RLock()
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self.server = Server(self)
        self.port = self.server.server_address[1]
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Cut all connections and refuse new ones."""
        self.faults.release_all()
        self.server.shutdown()
        self.server.server_close()
        self.server.cut_connections()

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def repository(self, name: str, kind: str = "datasets") -> Repository:
        """Return an existing repository."""
        return self.repositories[kind, name]

    def create(self, name: str, kind: str = "datasets", *, private: bool = False) -> Repository:
        """Create an empty repository without a client."""
        self.repositories[kind, name] = new_repository(kind, name, private=private)
        return self.repositories[kind, name]

    def put_folder(
        self, folder: Path, name: str, *, tag: str | None = None, private: bool = False
    ) -> str:
        """Commit a folder to a data set without a client, except hidden files.

        Returns:
            The hash of the commit.
        """
        if ("datasets", name) not in self.repositories:
            self.create(name, private=private)
        repository = self.repository(name)
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
        commit = repository.put(files)
        if tag:
            repository.tags[tag] = commit
        return commit

    def answer(
        self,
        status: int,
        method: str,
        path: str,
        *,
        times: int = 1,
        retry_after: int | None = None,
    ) -> None:
        """Refuse the next requests whose path matches the pattern ``path``, with a status."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.faults.add(Answer(status, headers), method, path, times)

    def cut(self, after: int, method: str, path: str, *, times: int = 1) -> None:
        """Close the connection of the next requests after some bytes of the body."""
        self.faults.add(Cut(after), method, path, times)

    def hold(self, method: str, path: str, *, skip: int = 0) -> Hold:
        """Make a request wait, after ``skip`` others; ``reached`` is set when it arrives."""
        held = Hold()
        self.faults.add(held, method, path, skip=skip)
        return held

    def calls(self, method: str, path: str = "") -> list[RecordedRequest]:
        """Return the requests of a method whose decoded path matches the pattern ``path``."""
        return [one for one in self.requests if one.method == method and re.search(path, one.path)]


class Server(ThreadingHTTPServer):
    """One thread per connection; none outlives the test."""

    daemon_threads = True

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", hub.port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        """Close the connections that clients keep open."""
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that leaves: the handler records all other errors."""


class Handler(BaseHTTPRequestHandler):
    """Reads a request, applies a fault, sends the reply and records both."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *words: Any) -> None:
        """Log nothing: requests are recorded."""

    def handle_one_request(self) -> None:
        """Handle a request; ignore a client that leaves."""
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True
        except Exception as error:  # noqa: BLE001, for the test to see
            self.server.hub.errors.append(error)
            self.close_connection = True

    def answer_request(self) -> None:
        """Handle a request of any method."""
        hub = self.server.hub
        action = hub.faults.take(self.command, unquote(self.path))
        size = int(self.headers.get("Content-Length") or 0)
        if isinstance(action, Cut) and size:
            self.rfile.read(min(action.after, size))
            self.record(0, min(action.after, size), 0)
            self.drop()
            return
        body = self.read_body(size)
        if isinstance(action, Hold):
            action.reached.set()
            action.released.wait()
        reply = self.reply_to(body, action)
        self.send_reply(reply, len(body), cut=action.after if isinstance(action, Cut) else None)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer_request  # noqa: N815

    def read_body(self, size: int) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            body = self.rfile.read(size)
            if len(body) < size:
                self.record(0, len(body), 0)
                raise ConnectionResetError("the client went away half-way")
            return body
        chunks = []
        while length := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def reply_to(self, body: bytes, action: Action | None) -> Reply:
        """Return the reply of a fault, or else of the endpoint."""
        if isinstance(action, Answer):
            return Reply({"error": "injected"}, action.status, action.headers)
        parts = urlsplit(self.path)
        found = route(self.command, parts.path)
        if found is None:
            return RefusedError(404, "NotFound", f"no route {self.command} {self.path}").reply
        endpoint, named = found
        call = Call(
            hub=self.server.hub,
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            token=self.headers.get("Authorization", "").removeprefix("Bearer ") or None,
            parts=named,
        )
        try:
            with self.server.hub.lock:
                return endpoint(call)
        except RefusedError as refused:
            return refused.reply

    def send_reply(self, reply: Reply, received: int, *, cut: int | None) -> None:
        content = reply.content
        sent = b"" if self.command == "HEAD" else content[:cut]
        self.record(reply.status if cut is None else 0, received, len(sent))
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", **reply.headers}
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)
        if cut is not None:
            self.drop()

    def record(self, status: int, received: int, sent: int) -> None:
        self.server.hub.requests.append(
            RecordedRequest(
                method=self.command,
                path=unquote(self.path),
                status=status,
                received=received,
                sent=sent,
                range=self.headers.get("Range"),
            )
        )

    def drop(self) -> None:
        """Close the connection while the client uses it."""
        self.wfile.flush()
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
