"""A checkpoint is whole, belongs to its run, and is never lost."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.self_supervised.checkpoint import RUN
from baselines.self_supervised.train import train
from tests.baselines.self_supervised.runs import (
    QUICK,
    TRAIN,
    VALIDATION,
    population,
    run,
    state,
)
from zoogen import MLP, IntegrityError, Weights, ZooError
from zoogen.atomic import write_text
from zoogen.tensors import save_tensors


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"settings": replace(QUICK, beta=0.25)}, "beta=0.5, expected 0.25"),
        ({"seed": 7}, "seed=0, expected 7"),
        ({"on": population(300, 9)}, "data_sha256="),
    ],
    ids=["settings", "seed", "data"],
)
def test_a_checkpoint_of_another_run_is_refused(
    tmp_path: Path, other: dict[str, Any], message: str
):
    run(replace(QUICK, epochs=6), tmp_path)
    with pytest.raises(ZooError, match=message):
        run(**{"settings": QUICK, "folder": tmp_path, **other})


def test_a_checkpoint_of_another_layout_is_refused(tmp_path: Path):
    run(QUICK, tmp_path)
    layout = MLP(widths=(8, 10, 2)).layout
    parts = [Weights([np.asarray(part)], layout) for part in (TRAIN, VALIDATION)]
    with pytest.raises(ZooError, match="holds a run with layout="):
        train(*parts, QUICK, seed=0, folder=tmp_path)


@pytest.mark.parametrize("harm", ["tensors", "missing", "json"])
def test_a_damaged_checkpoint_is_reported(tmp_path: Path, harm: str):
    run(QUICK, tmp_path)
    (tensors,) = tmp_path.glob("*.safetensors")
    if harm == "missing":
        tensors.unlink()
    else:
        path = tensors if harm == "tensors" else tmp_path / RUN
        path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(IntegrityError, match="remove"):
        run(QUICK, tmp_path)


@pytest.mark.parametrize("write", [save_tensors, write_text])
def test_a_run_killed_while_it_writes_resumes_to_the_same_result(
    write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = state(run(QUICK, tmp_path / "whole"))
    calls = iter(range(1000))
    with monkeypatch.context() as patch:
        patch.setattr("baselines.self_supervised.train.KEEP_SECONDS", -1.0)

        def dying(*arguments: Any) -> None:
            write(*arguments)
            if next(calls) == 2:
                raise KeyboardInterrupt

        patch.setattr(f"baselines.self_supervised.checkpoint.{write.__name__}", dying)
        with pytest.raises(KeyboardInterrupt):
            run(QUICK, tmp_path / "died")
    resumed = state(run(QUICK, tmp_path / "died"))
    assert all(np.array_equal(resumed[name], whole[name]) for name in whole)
    files = sorted(path.name for path in (tmp_path / "died").glob("[!.]*"))
    assert files == ["epoch-00006.safetensors", RUN]


def test_only_one_checkpoint_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("baselines.self_supervised.train.KEEP_SECONDS", -1.0)
    run(QUICK, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["epoch-00006.safetensors", RUN]
