"""Reference rows: chance and hyper-parameters."""

from pathlib import Path

import numpy as np
import pytest

from zoobench.evaluation.reference_rows import (
    REFERENCES,
    chance,
    evaluate_reference,
    hyper_parameters,
)
from zoobench.results.files import read_predictions
from zoobench.task.tasks import find_tasks, tasks_of
from zoogen import Zoo


def test_chance_guesses_the_mean_or_the_majority_of_train(hyp_zoo: Zoo):
    train, test = hyp_zoo.train.properties, hyp_zoo.test.properties
    tasks = tasks_of(hyp_zoo.spec)
    guess = chance(train, test, tasks["acc"], hyp_zoo.spec)
    assert guess == pytest.approx(train["test_accuracy"].mean())
    (label,) = set(chance(train, test, tasks["act"], hyp_zoo.spec))
    counts = train["activation"].value_counts()
    assert counts[label] == counts.max()


def test_hyper_parameters_never_include_the_target(hyp_zoo: Zoo):
    tasks = tasks_of(hyp_zoo.spec)
    train, test = hyp_zoo.train.properties, hyp_zoo.test.properties
    for name in ("lr", "act", "init", "eph"):
        task = tasks[name]
        hidden = test.assign(**{task.target: test[task.target].iloc[0]})
        shown, blind = (hyper_parameters(train, one, task, hyp_zoo.spec) for one in (test, hidden))
        assert np.array_equal(shown, blind)


def test_hyper_parameters_predict_accuracy_better_than_chance(hyp_zoo: Zoo, tmp_path: Path):
    tasks = find_tasks(hyp_zoo.spec, ["acc"])
    scores = [
        evaluate_reference(name, hyp_zoo, tasks, folder=tmp_path / name).tasks[0].scores[0]
        for name in ("chance", "hyper-parameters")
    ]
    assert scores[0] < 0.05
    assert scores[1] > 0.3


def test_without_varied_axes_the_epoch_is_guessed_as_by_chance(seed_zoo: Zoo):
    task = tasks_of(seed_zoo.spec)["eph"]
    train, test = seed_zoo.train.properties, seed_zoo.test.properties
    guess = hyper_parameters(train, test, task, seed_zoo.spec)
    assert np.array_equal(guess, chance(train, test, task, seed_zoo.spec))


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_is_a_result_like_any_other(hyp_zoo: Zoo, tmp_path: Path, name: str):
    tasks = find_tasks(hyp_zoo.spec, [])
    result = evaluate_reference(name, hyp_zoo, tasks, folder=tmp_path)
    assert [task.task for task in result.tasks] == [task.id for task in tasks]
    for task in result.tasks:
        assert len(read_predictions(tmp_path, task)) == task.rows
    assert evaluate_reference(name, hyp_zoo, tasks, folder=tmp_path) == result
