"""Requirements that a cluster or one of its machines does not meet are named early."""

import re
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from zoogen import ZooError, ZooSpec, build_zoo
from zoogen.build import zoo as build
from zoogen.build.cluster import choose_processor, connect
from zoogen.build.workers import ATTEMPTS
from zoogen.images.sets import load_images
from zoogen.spec.configs import plan


@pytest.mark.parametrize(
    ("offered", "device", "message"),
    [
        ({"CPU": 8.0}, "cuda", "offers no GPU; it has 8 CPU and 0 GPU"),
        ({"CPU": 8.0, "GPU": 0.5}, "cuda", "offers no GPU; it has 8 CPU and 0 GPU"),
        ({"memory": 1e9}, None, "offers no CPU; it has 0 CPU and 0 GPU"),
        (
            {"CPU": 8.0, "GPU": 1.0},
            "cuda:1",
            "'cuda:1' cannot be chosen on a cluster; expected cpu",
        ),
        ({"CPU": 8.0}, "", "'' cannot be chosen on a cluster"),
    ],
)
def test_the_message_for_a_missing_processor_lists_what_the_cluster_has(
    offered: dict[str, float], device: str | None, message: str
):
    with pytest.raises(ZooError, match=message):
        choose_processor(offered, device, "auto")


def test_a_machine_that_cannot_use_its_gpu_is_named(mixed_spec: ZooSpec):
    job = partial(
        build.train_one,
        spec=mixed_spec,
        shards=plan(mixed_spec, 1),
        images=load_images("small"),
        path="torch",
        tf32=False,
        report=lambda _: None,
    )
    job(0, device="cpu")
    here = re.escape(socket.gethostname())
    with pytest.raises(ZooError, match=rf"^{here}: device 'cuda:99' cannot .* --device cpu$"):
        job(0, device="cuda:99")


@pytest.mark.parametrize(
    ("device", "tf32", "message"),
    [
        ("cpu", True, "'cpu' has no TF32; .* leave out --tf32"),
        ("cuda:1", False, "'cuda:1' cannot be chosen on a cluster; expected cpu or cuda"),
    ],
)
def test_a_device_that_no_cluster_offers_is_refused_before_connecting(
    mixed_spec: ZooSpec, tmp_path: Path, device: str, tf32: bool, message: str
):
    with pytest.raises(ZooError, match=message):
        build_zoo(mixed_spec, tmp_path / "zoo", device=device, tf32=tf32, cluster="127.0.0.1:1")
    assert not (tmp_path / "zoo").exists()


def test_without_ray_the_install_command_is_named(
    mixed_spec: ZooSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ZooError, match=r"pip install 'zoobench\[cluster\]'"):
        build_zoo(mixed_spec, tmp_path, cluster="local")


def test_ray_is_imported_only_for_a_cluster():
    script = "import sys, zoogen.cli.commands, zoogen.build.cluster; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_cluster_too_busy_to_start_a_server_is_tried_again():
    calls: list[str] = []

    class Busy:
        def init(self, address: str, **options: Any) -> None:
            calls.append(address)
            if len(calls) < 2:
                raise ConnectionAbortedError("Initialization failure from server")

        def shutdown(self) -> None:
            calls.append("shutdown")

    connect(Busy(), "ray://127.0.0.1:1")
    assert calls == ["ray://127.0.0.1:1", "shutdown", "ray://127.0.0.1:1"]
    calls.clear()
    hopeless = Busy()
    hopeless.init = lambda address, **options: raise_aborted()  # type: ignore[method-assign]
    with pytest.raises(ConnectionAbortedError):
        connect(hopeless, "ray://127.0.0.1:1")
    assert calls == ["shutdown"] * ATTEMPTS


def raise_aborted() -> None:
    raise ConnectionAbortedError


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "refused"),
        ("ray://127.0.0.1:1", "refused"),
        ("[::1]:1", ""),
        ("nonsense", "expected local, auto, host:port or ray://host:port"),
        ("http://127.0.0.1:1", "expected local"),
        ("", "expected local"),
    ],
)
def test_a_cluster_that_cannot_be_reached_is_named(
    mixed_spec: ZooSpec, tmp_path: Path, address: str, reason: str
):
    with pytest.raises(ZooError, match=rf"no Ray cluster at '{re.escape(address)}' \(.*{reason}"):
        build_zoo(mixed_spec, tmp_path, cluster=address)
