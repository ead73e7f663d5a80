"""A zoo to learn from and one to be tested on: the same network, trained on other images."""

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
"""Where what was learned on a zoo is tried out of distribution.

Source: Schürholt et al. 2021, arXiv:2110.15288, Table 7 and Figures 11 to 14; from tetris-seed to
tetris-hyp is ours, it needs no images.
"""


START = ["initialiser", "seed"]
"""What decides the weights a model starts from, up to their scale."""


@dataclass(frozen=True)
class ZooPair:
    """Train and validation splits of one zoo, the test split of another.

    Embedder and probe learn on ``trained_on`` as ever, and are scored on models that were trained
    in another way. The two may be the same zoo, which is to be tested within the distribution.

    Raises:
        ZooError: If their weights are not laid out alike.
    """

    trained_on: Zoo
    tested_on: Zoo

    def __post_init__(self) -> None:
        ours, theirs = self.trained_on, self.tested_on
        if ours.layout != theirs.layout:
            mine, other = (zoo.layout.shapes.items() for zoo in (ours, theirs))
            differing = [slot for slot in (*mine, *other) if not (slot in mine and slot in other)]
            name, shape = differing[0] if differing else ("its first tensor", "another place")
            raise ZooError(
                f"{ours.spec.name} ({ours.layout.params} weights) and {theirs.spec.name} "
                f"({theirs.layout.params}) are not laid out alike: {name} {shape} is in one only; "
                "what is learned on one must be able to read the other"
            )

    @property
    def name(self) -> str:
        """Both names in one, which a folder can have."""
        return pair_name(self.trained_on.spec.name, self.tested_on.spec.name)

    @property
    def spec(self) -> AnySpec:
        """That of the zoo that is learned from."""
        return self.trained_on.spec

    @property
    def layout(self) -> Layout:
        """That of both."""
        return self.trained_on.layout

    @property
    def manifest(self) -> Manifest:
        """That of the zoo that is learned from."""
        return self.trained_on.manifest

    def part(self, split: Split) -> Part:
        """Return the snapshots of one split, of the one zoo or of the other."""
        return (self.tested_on if split == "test" else self.trained_on).part(split)

    @property
    def test(self) -> Part:
        """The snapshots scored, once."""
        return self.part("test")

    def verify(self) -> Iterator[str]:
        """Hash every file of both zoos; yield each once it is proved."""
        for zoo in zoos_of(self):
            yield from zoo.verify()


def shared_starts(pair: ZooPair) -> int | None:
    """Count the test models that start from weights that a model learned from starts from.

    Zoos draw starting weights from initialiser and seed alone, and each deals its own split: what
    is out of distribution is the training, not the start. None if a zoo does not know its starts.
    """
    learned = pair.trained_on.properties
    tested = pair.test.properties.drop_duplicates("model")
    if not set(START) <= set(learned) & set(tested):
        return None
    seen = learned.loc[learned["split"] != "test", START].drop_duplicates()
    return len(tested[START].merge(seen))


def zoos_of(zoo: Zoo | ZooPair) -> Iterable[Zoo]:
    """Return the zoo, or the two of a pair."""
    return (zoo,) if isinstance(zoo, Zoo) else (zoo.trained_on, zoo.tested_on)


def name_of(zoo: Zoo | ZooPair) -> str:
    """Return what results on a zoo, or on a pair, are called."""
    return zoo.spec.name if isinstance(zoo, Zoo) else zoo.name


def pair_name(trained_on: str, tested_on: str) -> str:
    """Name a pair of zoos: ``tetris-seed-to-tetris-hyp``."""
    return f"{trained_on}-to-{tested_on}"


def elsewhere_at_hand(name: str) -> list[str]:
    """Name the zoos that what was learned on a zoo can be tried on here and now.

    Those that would take long to build are named in a warning; tetris-hyp is built when needed.

    Raises:
        ZooError: If no zoo is known to be of the same network, or none of those is built.
    """
    if name not in ELSEWHERE:
        raise ZooError(
            f"no zoo is registered to test {name} on, only for {', '.join(ELSEWHERE)}; "
            "in Python any two zoos with one layout make a ZooPair (docs/out-of-distribution.md)"
        )
    missing = [other for other in ELSEWHERE[name] if not is_at_hand(other)]
    commands = ", ".join(f"zoogen build {other}" for other in missing)
    if len(missing) == len(ELSEWHERE[name]):
        raise ZooError(f"no zoo to test {name} on is built; run one of: {commands}")
    if missing:
        log.warning("not tested on %s; to build them: %s", ", ".join(missing), commands)
    return [other for other in ELSEWHERE[name] if other not in missing]
