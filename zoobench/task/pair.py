"""Pairs of zoos, one to learn on and one to be tested on: one network, different training."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from zoogen import (
    AnySpec,
    Layout,
    Manifest,
    Part,
    Split,
    Zoo,
    ZooError,
    is_at_hand,
)

log = logging.getLogger(__name__)

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "tetris-seed": ("tetris-hyp",),
    "mnist-seed": ("fashion-seed", "svhn-seed"),
    "mnist-hyp": ("fashion-hyp", "svhn-hyp", "cifar10-hyp"),
    "fashion-hyp": ("mnist-hyp", "svhn-hyp", "cifar10-hyp"),
    "svhn-hyp": ("mnist-hyp", "fashion-hyp", "cifar10-hyp"),
    "cifar10-hyp": ("mnist-hyp", "fashion-hyp", "svhn-hyp"),
}
"""Zoos to test on out of distribution, by the zoo to learn on.

Source: Schürholt et al. 2021, arXiv:2110.15288, Table 7 and Figures 11 to 14. The pair of
tetris-seed and tetris-hyp is ours: it needs no images.
"""


START_COLUMNS = ["initialiser", "seed"]
"""Columns that decide the weights a model starts from, up to their scale."""


@dataclass(frozen=True)
class ZooPair:
    """Train and validation splits of one zoo, the test split of another.

    Embedder and probe learn on ``trained_on`` as usual and are scored on models that were trained
    differently. Both may be the same zoo, which is a test within the distribution.

    Raises:
        ZooError: If the layouts of the zoos differ.
    """

    trained_on: Zoo
    tested_on: Zoo

    def __post_init__(self) -> None:
        ours, theirs = self.trained_on, self.tested_on
        if ours.layout != theirs.layout:
            mine, other = (zoo.layout.shapes.items() for zoo in (ours, theirs))
            differing = [slot for slot in (*mine, *other) if slot not in mine or slot not in other]
            reason = "their tensors are in another order"
            if differing:
                name, shape = differing[0]
                reason = f"only one has {name} {shape}"
            raise ZooError(
                f"{ours.spec.name} ({ours.layout.params} weights) and {theirs.spec.name} "
                f"({theirs.layout.params}) have different layouts: {reason}; "
                "pair zoos of the same network"
            )

    @property
    def name(self) -> str:
        """Name of the pair, also the name of its folder of results."""
        return pair_name(self.trained_on.spec.name, self.tested_on.spec.name)

    @property
    def spec(self) -> AnySpec:
        """Spec of the zoo to learn on."""
        return self.trained_on.spec

    @property
    def layout(self) -> Layout:
        """Layout of both zoos."""
        return self.trained_on.layout

    @property
    def manifest(self) -> Manifest:
        """Manifest of the zoo to learn on."""
        return self.trained_on.manifest

    def part(self, split: Split) -> Part:
        """Return a split: ``test`` of ``tested_on``, the others of ``trained_on``."""
        return (self.tested_on if split == "test" else self.trained_on).part(split)

    @property
    def test(self) -> Part:
        """The snapshots to score."""
        return self.part("test")

    def verify(self) -> Iterator[str]:
        """Hash every file of both zoos; yield the name of each after its check."""
        for zoo in zoos_of(self):
            yield from zoo.verify()


def shared_starts(pair: ZooPair) -> int | None:
    """Count the test models that share their starting weights with a train or validation model.

    Zoos draw starting weights from initialiser and seed alone, and each deals its own split: the
    training is out of distribution, the start is not. None if a zoo does not know its starts.
    """
    learned = pair.trained_on.properties
    tested = pair.test.properties.drop_duplicates("model")
    if not set(START_COLUMNS) <= set(learned) & set(tested):
        return None
    seen = learned.loc[learned["split"] != "test", START_COLUMNS].drop_duplicates()
    return len(tested[START_COLUMNS].merge(seen))


def zoos_of(zoo: Zoo | ZooPair) -> Iterable[Zoo]:
    """Return the zoo, or both zoos of a pair."""
    return (zoo,) if isinstance(zoo, Zoo) else (zoo.trained_on, zoo.tested_on)


def name_of(zoo: Zoo | ZooPair) -> str:
    """Return the name of a zoo or of a pair."""
    return zoo.spec.name if isinstance(zoo, Zoo) else zoo.name


def pair_name(trained_on: str, tested_on: str) -> str:
    """Name a pair of zoos: ``tetris-seed-to-tetris-hyp``."""
    return f"{trained_on}-to-{tested_on}"


def elsewhere_at_hand(name: str) -> list[str]:
    """Name the zoos at hand to test on after learning on the zoo ``name``.

    A warning names those that take long to build; tetris-hyp is built when needed.

    Raises:
        ZooError: If no zoo of the same network is registered, or none of them is built.
    """
    if name not in ELSEWHERE:
        raise ZooError(
            f"no zoo is registered to test {name} on, only for {', '.join(ELSEWHERE)}; "
            "in Python any two zoos of one layout make a ZooPair (docs/out-of-distribution.md)"
        )
    missing = [other for other in ELSEWHERE[name] if not is_at_hand(other)]
    commands = ", ".join(f"zoogen build {other}" for other in missing)
    if len(missing) == len(ELSEWHERE[name]):
        raise ZooError(f"no zoo to test {name} on is built; run one of: {commands}")
    if missing:
        log.warning("not tested on %s; to build, run: %s", ", ".join(missing), commands)
    return [other for other in ELSEWHERE[name] if other not in missing]
