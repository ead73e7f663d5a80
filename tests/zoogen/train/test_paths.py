"""Kernels train wherever they can run, torch elsewhere, and never both in one zoo."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoogen import CNN, MLP, ZOOS, Convolution, Zoo, ZooError, ZooSpec, build_zoo, load_zoo
from zoogen.store.manifest import read_manifest
from zoogen.train import paths
from zoogen.train.paths import path_to_take, training_path, why_no_kernels

NETWORK = MLP(widths=(16, 5, 4))


@pytest.fixture(autouse=True)
def cleared_caches() -> None:
    why_no_kernels.cache_clear()
    paths.say_once.cache_clear()


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that Numba cannot be loaded."""
    reason = "numba cannot be loaded; run: pip install …"
    monkeypatch.setattr(paths, "why_no_kernels", lambda: reason)


@pytest.mark.parametrize("zoo", ZOOS.values(), ids=lambda zoo: zoo.name)
def test_every_registered_zoo_trains_by_kernels_on_the_cpu(zoo: ZooSpec):
    assert training_path(zoo.network, "cpu") == "kernels"
    assert training_path(zoo.network, "cuda:0") == "torch"


def test_a_zoo_names_its_path_and_its_version_of_numba(mixed_zoo: Zoo):
    versions = read_manifest(mixed_zoo.folder).versions
    assert versions["path"] == "kernels"
    assert versions["numba"].count(".") == 2


@pytest.mark.usefixtures("without_numba")
def test_without_numba_torch_trains_and_warns_once(
    mixed_spec: ZooSpec, tmp_path: Path, caplog: Any
):
    few = replace(mixed_spec, models_per_shard=2)
    manifest = build_zoo(few, tmp_path / "zoo", models=4, workers=1)
    assert manifest.versions["path"] == "torch"
    assert "numba" not in manifest.versions
    assert caplog.text.count("training with torch, many times slower: numba cannot be") == 1
    assert len(load_zoo(tmp_path / "zoo").weights) == 8


WITHOUT = {
    "missing": "sys.modules['numba'] = sys.modules['numba.core'] = None",
    "no llvm": "sys.modules['llvmlite.binding'] = None",
    "switched off": "import os; os.environ['NUMBA_DISABLE_JIT'] = '1'",
    "an old processor": (
        "import llvmlite.binding as b; b.get_host_cpu_features = lambda: {'avx2': True}"
    ),
    "another processor": "import platform; platform.machine = lambda: 'riscv64'",
}
REASONS = {
    "missing": "numba cannot be loaded .* run: pip install",
    "no llvm": "numba cannot be loaded .* run: pip install",
    "switched off": "NUMBA_DISABLE_JIT",
    "an old processor": "this processor lacks fma",
    "another processor": "not written for riscv64",
}


@pytest.mark.parametrize("what", WITHOUT)
def test_the_reason_why_kernels_cannot_run_is_named(what: str):
    code = (
        f"import sys; {WITHOUT[what]}; "
        "from zoogen.train.paths import why_no_kernels; print(why_no_kernels())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.search(REASONS[what], done.stdout)


def test_a_network_that_no_kernel_takes_trains_with_torch(caplog: Any):
    panorama = CNN(
        image=(1, 8, 300), convolutions=(Convolution(channels=2, kernel=1),), widths=(3,)
    )
    for _ in range(2):
        assert training_path(panorama, "cpu") == "torch"
    message = "no kernel can train CNN 2@1×1, flatten, 3: it has a row of 300 weights"
    assert caplog.text.count(message) == 1
    pooled = replace(panorama, convolutions=(Convolution(channels=2, kernel=1, pool=2),))
    assert training_path(pooled, "cpu") == "kernels"
    assert training_path(replace(panorama, features="mean"), "cpu") == "kernels"


@pytest.mark.parametrize(("begun", "device"), [("torch", "cpu"), ("kernels", "cpu")])
def test_a_build_continues_on_its_path(begun: Any, device: str):
    assert path_to_take(NETWORK, device, begun, "zoo") == begun


def test_a_build_begun_with_kernels_does_not_continue_on_a_gpu():
    with pytest.raises(ZooError, match=r"zoo was begun with kernels, .* not on cuda.* --out"):
        path_to_take(NETWORK, "cuda", "kernels", "zoo")


@pytest.mark.usefixtures("without_numba")
def test_a_build_begun_with_kernels_does_not_continue_with_torch():
    with pytest.raises(ZooError, match=r"zoo was begun with kernels, .*numba cannot be loaded"):
        path_to_take(NETWORK, "cpu", "kernels", "zoo")


def test_a_zoo_begun_with_torch_is_finished_with_torch(
    mixed_spec: ZooSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    few = replace(mixed_spec, models_per_shard=4)
    with monkeypatch.context() as patch:
        patch.setattr(paths, "why_no_kernels", lambda: "for a while")
        whole = build_zoo(few, tmp_path / "whole", models=8, workers=1)
        build_zoo(few, tmp_path / "zoo", models=4, workers=1)
    grown = build_zoo(few, tmp_path / "zoo", models=8, workers=1)
    assert grown.versions["path"] == "torch"
    assert grown == whole
