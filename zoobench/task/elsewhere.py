"""The tasks out of distribution: a probe of one zoo, scored on models of another."""

from collections.abc import Iterable
from dataclasses import replace

from zoobench.task.pair import ZooPair, elsewhere_at_hand
from zoobench.task.tasks import Task, find_tasks, tasks_of
from zoogen import ZOOS, AnySpec, ZooError, load_zoo

TAU = "_tau"
"""Ends the id of a task that is scored by the order of its predictions."""


def tau_task(task: Task) -> Task:
    """Return the same task scored by Kendall's τ-b: whether models come in the right order.

    Zoos differ in the range of what is measured, so a probe may order another zoo's models well
    and be off by a shift all the same; R² would be far below zero.

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
    """Return the tasks of a pair, each by Kendall's τ-b and by R², see ``tasks_across``."""
    return tasks_across(pair.spec, pair.tested_on.spec, ids)


def tasks_across(
    trained_on: AnySpec, tested_on: AnySpec, ids: Iterable[str] = ()
) -> tuple[Task, ...]:
    """Return what can be learned on one zoo and scored on another, by Kendall's τ-b and by R².

    Args:
        trained_on: What is learned from.
        tested_on: What is scored.
        ids: Of tasks of the first zoo, all if empty; those that are no regressions of both zoos
            are left out.

    Raises:
        UnknownNameError: If the first zoo has no such task.
        ZooError: If nothing is left.
    """
    both = shared_regressions(trained_on, tested_on)
    asked = [task.id for task in find_tasks(trained_on, ids)]
    found = [both[name] for name in asked if name in both]
    if not found:
        raise ZooError(
            f"no number is predicted by {', '.join(asked)} on both {trained_on.name} and "
            f"{tested_on.name}, expected one of {', '.join(both) or '… they share none'}"
        )
    return tuple(scored for task in found for scored in (tau_task(task), task))


def zoos_elsewhere(zoo: str, ids: Iterable[str]) -> list[str]:
    """Name the zoos to try on what is learned on a zoo, before anything is learned.

    Raises:
        UnknownNameError: As ``tasks_across``.
        ZooError: As ``elsewhere_at_hand`` and ``tasks_across``.
    """
    trained_on = ZOOS[zoo] if zoo in ZOOS else load_zoo(zoo).spec
    others = elsewhere_at_hand(trained_on.name)
    for other in others:
        tasks_across(trained_on, ZOOS[other], ids)
    return others
