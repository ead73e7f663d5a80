"""The tasks of the registered zoos."""

import pytest

from zoobench.task.targets import targets
from zoobench.task.tasks import RUNNING_GAP, find_tasks, tasks_of
from zoogen import ZOOS, UnknownNameError, Zoo, ZooSpec, zoo_spec

NO_PROPERTY = {"init_std"}
"""Most initialisers ignore it."""


@pytest.mark.parametrize("spec", ZOOS.values(), ids=lambda spec: spec.name)
def test_every_zoo_has_a_task_for_each_measured_and_each_varied_property(spec: ZooSpec):
    targets = {task.target for task in tasks_of(spec).values()}
    measured = {"epoch", "test_accuracy", "generalisation_gap"}
    f1 = {f"f1_class_{label}" for label in range(spec.network.classes)}
    assert targets == measured | f1 | (set(spec.varied) - NO_PROPERTY)


def test_every_target_is_a_column(seed_zoo: Zoo, hyp_zoo: Zoo):
    for zoo in (seed_zoo, hyp_zoo):
        targets = {task.target for task in tasks_of(zoo.spec).values()}
        assert targets <= set(zoo.properties.columns)


def test_a_property_that_is_not_varied_is_not_a_task():
    assert not {"lr", "act", "init", "opt", "l2", "drop"} & set(tasks_of(zoo_spec("tetris-seed")))


def test_tasks_come_in_the_order_asked_for():
    spec = zoo_spec("tetris-hyp")
    assert [task.id for task in find_tasks(spec, ["act", "eph"])] == ["act", "eph"]
    assert [task.id for task in find_tasks(spec, [])] == list(tasks_of(spec))


def test_an_unknown_task_lists_the_closest():
    with pytest.raises(UnknownNameError, match="ggap"):
        find_tasks(zoo_spec("tetris-seed"), ["gap"])


def test_the_gap_of_the_paper_is_scored_only_on_request(mixed_zoo: Zoo):
    spec = mixed_zoo.spec
    assert RUNNING_GAP not in tasks_of(spec).values()
    assert find_tasks(spec, ["ggap_running"]) == (RUNNING_GAP,)
    rows = mixed_zoo.test.properties
    gap = targets(mixed_zoo.test)[RUNNING_GAP.target]
    assert (gap == rows["running_train_accuracy"] - rows["test_accuracy"]).all()
    assert RUNNING_GAP.target not in rows
