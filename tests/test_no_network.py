"""Neither tests nor the processes they start can connect beyond this machine."""

import socket
import subprocess
import sys

import pytest
from loky import ProcessPoolExecutor
from loky.backend import get_context

from tests.guard.sitecustomize import ReachedOutError


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org"])
def test_nothing_beyond_this_machine_is_looked_up(host: str):
    with pytest.raises(ReachedOutError, match=host):
        socket.create_connection((host, 80), timeout=0.1)


def test_connections_beyond_this_machine_are_refused():
    with socket.socket() as client, pytest.raises(ReachedOutError, match="192"):
        client.connect(("192.0.2.1", 80))
    with (
        socket.socket(socket.AF_INET6) as client,
        pytest.raises(ReachedOutError, match="db8"),
    ):
        client.connect_ex(("2001:db8::1", 80))
    with (
        socket.socket(type=socket.SOCK_DGRAM) as client,
        pytest.raises(ReachedOutError, match="192"),
    ):
        client.sendto(b"", ("192.0.2.1", 53))


def test_connections_within_this_machine_are_let_through():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org"])
def test_a_process_started_by_a_test_cannot_leave_either(host: str):
    code = f"import socket\ntry: socket.create_connection(({host!r}, 80), 1)\nexcept Exception: 0"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"ReachedOutError: a test looks up {host}" in done.stderr


def attempt() -> str:
    try:
        socket.create_connection(("192.0.2.1", 80), 1)
    except BaseException as error:  # noqa: BLE001 the test needs the error
        return repr(error)
    return "out"


def test_a_worker_of_a_build_cannot_leave_either():
    with ProcessPoolExecutor(1, context=get_context("loky")) as pool:
        assert pool.submit(attempt).result() == "ReachedOutError('a test looks up 192.0.2.1')"
