"""A small zoo in place of those of the paper."""

from collections.abc import Callable

import pytest

from zoogen import Zoo

Use = Callable[[Zoo], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Return a function that makes a zoo the only one that is built."""

    def use(zoo: Zoo) -> None:
        for module in ("zoobench.evaluation.run", "baselines.paper.reproduce"):
            monkeypatch.setattr(f"{module}.load_zoo", lambda _: zoo)
        monkeypatch.setattr(
            "baselines.paper.reproduce.is_at_hand", lambda name: name == zoo.spec.name
        )

    return use
