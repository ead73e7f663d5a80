"""The details of a submission: commands that can be copied, scores of every seed."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from zoobench.board.board import read_truths
from zoobench.board.details import changed_settings, command, details
from zoobench.board.entry import OnZoo
from zoobench.board.validate import validate
from zoobench.embedders.find import find_embedder
from zoobench.embedders.provenance import settings_of
from zoobench.results.store import label


@pytest.fixture
def projection(whole_board: Path) -> OnZoo:
    """A result of two seeds."""
    return validate(whole_board, "projection").zoos["tetris-hyp"]


def with_stamp(on_zoo: OnZoo, **changes: object) -> OnZoo:
    stamp = replace(on_zoo.result.embedder, **changes)  # type: ignore[arg-type]
    return replace(on_zoo, result=replace(on_zoo.result, embedder=stamp))


def test_a_command_names_embedder_zoo_and_seeds(projection: OnZoo):
    expected = "zoobench evaluate random-projection --zoo tetris-hyp --seeds 2"
    assert command(projection) == expected


@pytest.mark.parametrize(
    "typed",
    [
        {"dim": "7"},
        {"percentiles": "(10, 90)", "biases": "True"},
        {"note": "a, b=c"},
    ],
)
def test_a_command_gives_settings_as_they_were_typed(projection: OnZoo, typed: dict[str, str]):
    values = {"dim": 7, "percentiles": [10, 90], "biases": True, "note": "a, b=c", "other": 1}
    named = with_stamp(projection, name=label("some", typed), settings=values)
    given = changed_settings(named.result.embedder)
    assert given.keys() == typed.keys()
    words = shlex.split(command(named))
    for key in typed:
        assert f"{key}={values[key]}" in words


def test_changed_settings_make_the_same_embedder_again(projection: OnZoo):
    typed = {"percentiles": "(10, 90)", "biases": "True"}
    embedder = find_embedder("weight-statistics", typed)
    settings = settings_of(embedder)
    named = with_stamp(projection, name=label("weight-statistics", typed), settings=settings)
    again = find_embedder("weight-statistics", changed_settings(named.result.embedder))
    assert settings_of(again) == settings


def test_a_copied_command_runs_nothing_but_zoobench(projection: OnZoo):
    hostile = "x.py; $(touch taken) `touch taken` | sh #"
    shown = command(with_stamp(projection, reference=hostile))
    assert shlex.split(shown)[2] == hostile


def test_the_score_of_every_seed_follows_from_the_predictions(whole_board: Path):
    truths = read_truths(whole_board)
    entry = validate(whole_board, "projection")
    found = details(entry, truths)["tetris-hyp"]["tasks"]
    for task in entry.zoos["tetris-hyp"].result.tasks:
        assert found[task.task]["seeds"] == pytest.approx(task.scores, rel=1e-3)
    (alone,) = (details(validate(whole_board, "chance"), truths)[zoo] for zoo in ["tetris-hyp"])
    assert alone["tasks"]["eph"]["seeds"] == []
