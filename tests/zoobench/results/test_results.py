"""Result files: what is written can be read, and anything else is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoobench.results.files import RESULT, read_predictions, read_result, write_result, write_table
from zoobench.results.record import Record, TaskResult
from zoobench.results.stamps import EmbedderStamp, ZooStamp
from zoogen import IntegrityError, ZooError

HASH = "0" * 64

EPH = TaskResult(
    task="eph",
    version=1,
    target="epoch",
    kind="regression",
    metric="r2",
    scores=(0.5, None),
    interval=(0.4, 0.6),
    penalties=(1e-3, 1e-4),
    validation_scores=(0.5, 0.5),
    rows=3,
    seconds=0.1,
    predictions_sha256=HASH,
)
RESULT_OF_ONE_TASK = Record(
    schema_version=1,
    benchmark="0.1",
    embedder=EmbedderStamp(
        name="norms",
        reference="norms.py",
        cls="norms.Norms",
        settings={"power": 2.0, "axes": [1, 2]},
        code_sha256=HASH,
        commit=None,
        dirty=False,
    ),
    zoo=ZooStamp(
        name="tetris-seed",
        version=1,
        content_sha256=HASH,
        split_sha256=HASH,
        models_built=1000,
        models_planned=1000,
    ),
    probe="standard",
    seeds=(0, 1),
    embedding_dim=2,
    embedding_seconds=(0.5, 0.25),
    tasks=(EPH,),
    versions={"numpy": "2"},
    machine="a machine",
)

scores = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(seeds=st.lists(scores, min_size=1), low=scores, high=scores)
def test_a_result_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    seeds: list[float | None],
    low: float | None,
    high: float | None,
):
    folder = tmp_path_factory.mktemp("result")
    task = replace(EPH, scores=tuple(seeds), interval=(low, high))
    result = replace(RESULT_OF_ONE_TASK, tasks=(task,))
    write_result(folder, result)
    assert read_result(folder) == result


def test_a_mean_is_missing_if_a_seed_is():
    assert EPH.mean is None
    assert replace(EPH, scores=(0.25, 0.75)).mean == 0.5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"surprise": 1}, "surprise"),
        ({"probe": None}, "probe"),
        ({"seeds": [0.5]}, "seeds"),
        ({"seeds": ["0"]}, "seeds"),
        ({"zoo": {"name": "tetris-seed"}}, "zoo.version"),
    ],
)
def test_a_result_with_a_field_that_is_unknown_or_wrong_is_refused(
    tmp_path: Path, change: dict[str, object], field: str
):
    write_result(tmp_path, RESULT_OF_ONE_TASK)
    fields = json.loads((tmp_path / RESULT).read_text()) | change
    (tmp_path / RESULT).write_text(json.dumps(fields))
    with pytest.raises(IntegrityError, match=field):
        read_result(tmp_path)


@pytest.mark.parametrize("value", ["NaN", "Infinity", '"0.5"'])
def test_a_score_that_is_not_a_number_is_refused(tmp_path: Path, value: str):
    write_result(tmp_path, RESULT_OF_ONE_TASK)
    text = (tmp_path / RESULT).read_text().replace('"scores": [0.5', f'"scores": [{value}')
    (tmp_path / RESULT).write_text(text)
    with pytest.raises(IntegrityError, match=r"tasks\.0\.scores"):
        read_result(tmp_path)


def test_a_newer_schema_names_both_versions(tmp_path: Path):
    write_result(tmp_path, replace(RESULT_OF_ONE_TASK, schema_version=2))
    with pytest.raises(ZooError, match="schema version 2, this zoobench reads 1"):
        read_result(tmp_path)


def test_a_folder_without_a_result_names_the_command(tmp_path: Path):
    with pytest.raises(ZooError, match="zoobench evaluate"):
        read_result(tmp_path)


def test_a_file_that_is_not_json_is_refused(tmp_path: Path):
    (tmp_path / RESULT).write_text("{")
    with pytest.raises(IntegrityError, match="not a result"):
        read_result(tmp_path)


def test_predictions_are_read_only_if_their_hash_matches(tmp_path: Path):
    table = pd.DataFrame({"model": [1], "epoch": [2], "seed_0": [0.5]})
    task = replace(EPH, predictions_sha256=write_table(tmp_path, "eph", table))
    assert read_predictions(tmp_path, task).equals(table)
    write_table(tmp_path, "eph", table * 2)
    with pytest.raises(IntegrityError, match=task.predictions_sha256):
        read_predictions(tmp_path, task)
