"""What a cluster or a machine of it cannot give is told, early where it is known early."""

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
from zoogen.build.cluster import join, processor
from zoogen.build.workers import ATTEMPTS
from zoogen.images.sets import load_images
from zoogen.spec.configs import plan


@pytest.mark.parametrize(
    ("offered", "device", "said"),
    [
        ({"CPU": 8.0}, "cuda", "offers no GPU; it has 8 CPU and 0 GPU"),
        ({"CPU": 8.0, "GPU": 0.5}, "cuda", "offers no GPU; it has 8 CPU and 0 GPU"),
        ({"memory": 1e9}, None, "offers no CPU; it has 0 CPU and 0 GPU"),
        ({"CPU": 8.0, "GPU": 1.0}, "cuda:1", "'cuda:1' cannot be named on a cluster; expected cpu"),
        ({"CPU": 8.0}, "", "'' cannot be named on a cluster"),
    ],
)
def test_what_a_cluster_does_not_have_is_answered_with_what_it_has(
    offered: dict[str, float], device: str | None, said: str
):
    with pytest.raises(ZooError, match=said):
        processor(offered, device, "auto")


def test_a_machine_that_cannot_use_the_gpu_it_was_given_is_named(mixed_spec: ZooSpec):
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
    ("device", "tf32", "said"),
    [
        ("cpu", True, "'cpu' has no TF32; .* leave out --tf32"),
        ("cuda:1", False, "'cuda:1' cannot be named on a cluster; expected cpu or cuda"),
    ],
)
def test_what_no_cluster_has_is_refused_before_one_is_asked(
    mixed_spec: ZooSpec, tmp_path: Path, device: str, tf32: bool, said: str
):
    with pytest.raises(ZooError, match=said):
        build_zoo(mixed_spec, tmp_path / "zoo", device=device, tf32=tf32, cluster="127.0.0.1:1")
    assert not (tmp_path / "zoo").exists()


def test_without_ray_the_way_to_it_is_named(
    mixed_spec: ZooSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ZooError, match=r"pip install 'zoobench\[cluster\]'"):
        build_zoo(mixed_spec, tmp_path, cluster="local")


def test_ray_is_imported_for_a_cluster_only():
    seen = "import sys, zoogen.cli.commands, zoogen.build.cluster; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", seen], check=False).returncode == 0


def test_a_cluster_too_busy_to_start_a_server_is_asked_again():
    asked: list[str] = []

    class Busy:
        def init(self, address: str, **options: Any) -> None:
            asked.append(address)
            if len(asked) < 2:
                raise ConnectionAbortedError("Initialization failure from server")

        def shutdown(self) -> None:
            asked.append("shutdown")

    join(Busy(), "ray://127.0.0.1:1")
    assert asked == ["ray://127.0.0.1:1", "shutdown", "ray://127.0.0.1:1"]
    asked.clear()
    hopeless = Busy()
    hopeless.init = lambda address, **options: raise_aborted()  # type: ignore[method-assign]
    with pytest.raises(ConnectionAbortedError):
        join(hopeless, "ray://127.0.0.1:1")
    assert asked == ["shutdown"] * ATTEMPTS


def raise_aborted() -> None:
    raise ConnectionAbortedError
