"""A small Ray cluster on this machine."""

import socket
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

# Ray keeps to 127.0.0.1 and asks for no token, which would lie in the user's home.
QUIET = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}


@pytest.fixture(scope="module")
def ray_settings() -> Iterator[None]:
    """Give Ray a folder of its own with a short path, as its sockets need."""
    short = tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True)
    with pytest.MonkeyPatch.context() as patch, short as place:
        for name, value in {**QUIET, "RAY_TMPDIR": place}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def client_port() -> int:
    """A free port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def machines(ray_settings: None, client_port: int) -> Iterator[Any]:
    """A Ray cluster: a head without cores, and two machines with one core each."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "ray_client_server_port": client_port}
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):  # Ray's own log files
        together = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        together.add_node(num_cpus=1)
    yield together
    together.shutdown()


@pytest.fixture
def address(machines: Any) -> str:
    """Address of the cluster."""
    return str(machines.address)
