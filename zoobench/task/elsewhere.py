"""Tasks out of distribution: a probe learns on one zoo and is scored on models of another."""

from collections.abc import Iterable
from dataclasses import replace

from zoobench.task.pair import ZooPair, elsewhere_at_hand
from zoobench.task.tasks import Task, find_tasks, tasks_of
from zoogen import ZOOS, AnySpec, ZooError, load_zoo

TAU = "_tau"
"""Suffix of the ids of tasks scored by Kendall's τ-b."""


def tau_task(task: Task) -> Task:
    """Return the same task scored by Kendall's τ-b: are models in the right order?

    The range of a property differs between zoos. A probe may order the models of another zoo well
    and still be off by a shift, which puts R² far below zero.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288, section 4.2.
    """
    return replace(task, id=f"{task.id}{TAU}", metric="kendall_tau")


def shared_regressions(trained_on: AnySpec, tested_on: AnySpec) -> dict[str, Task]:
    """Return the regressions that both zoos have, by id."""
    there = tasks_of(tested_on)
    return {
        name: task
        for name, task in tasks_of(trained_on).items()
        if task.kind == "regression" and name in there
    }


def tasks_elsewhere(pair: ZooPair, ids: Iterable[str] = ()) -> tuple[Task, ...]:
    """Return the tasks of a pair, see ``tasks_across``."""
    return tasks_across(pair.spec, pair.tested_on.spec, ids)


def tasks_across(
    trained_on: AnySpec, tested_on: AnySpec, ids: Iterable[str] = ()
) -> tuple[Task, ...]:
    """Return the regressions of two zoos, each scored by Kendall's τ-b and by R².

    Args:
        trained_on: Spec of the zoo to learn from.
        tested_on: Spec of the zoo to score.
        ids: Tasks of the first zoo, all if empty; other tasks than shared regressions are left
            out.

    Raises:
        UnknownNameError: If the first zoo has no such task.
        ZooError: If no task is left.
    """
    both = shared_regressions(trained_on, tested_on)
    asked = [task.id for task in find_tasks(trained_on, ids)]
    found = [both[name] for name in asked if name in both]
    if not found:
        expected = f"expected one of {', '.join(both)}" if both else "they share none"
        raise ZooError(
            f"no task among {', '.join(asked)} is a regression on both {trained_on.name} and "
            f"{tested_on.name}; {expected}"
        )
    return tuple(scored for task in found for scored in (tau_task(task), task))


def zoos_elsewhere(zoo: str, ids: Iterable[str]) -> list[str]:
    """Name the zoos to test on after learning on ``zoo``; check that each can score the tasks.

    Raises:
        UnknownNameError: As ``tasks_across``.
        ZooError: As ``elsewhere_at_hand`` and ``tasks_across``.
    """
    trained_on = ZOOS[zoo] if zoo in ZOOS else load_zoo(zoo).spec
    others = elsewhere_at_hand(trained_on.name)
    for other in others:
        tasks_across(trained_on, ZOOS[other], ids)
    return others
