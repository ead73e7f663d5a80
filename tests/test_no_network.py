"""Tests cannot leave the machine they run on."""

import socket

import pytest


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org"])
def test_nothing_beyond_this_machine_is_looked_up(host: str):
    with pytest.raises(pytest.fail.Exception, match=host):
        socket.create_connection((host, 80), timeout=0.1)


def test_connections_beyond_this_machine_are_refused():
    with socket.socket() as client, pytest.raises(pytest.fail.Exception, match="192"):
        client.connect(("192.0.2.1", 80))
    with (
        socket.socket(socket.AF_INET6) as client,
        pytest.raises(pytest.fail.Exception, match="db8"),
    ):
        client.connect_ex(("2001:db8::1", 80))
    with (
        socket.socket(type=socket.SOCK_DGRAM) as client,
        pytest.raises(pytest.fail.Exception, match="192"),
    ):
        client.sendto(b"", ("192.0.2.1", 53))


def test_connections_within_this_machine_are_let_through():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
