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
    UnknownNameError,
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
            raise ZooError(
                f"{ours.spec.name} has {ours.layout.params} weights in {len(list(ours.layout))} "
                f"tensors, {theirs.spec.name} {theirs.layout.params} in "
                f"{len(list(theirs.layout))}, expected the same layout: what is learned on one "
                "must be able to read the other"
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

    Those that would have to be built first are named in a warning.

    Raises:
        UnknownNameError: If no zoo is known to be of the same network.
        ZooError: If there are such zoos and none of them is built.
    """
    if name not in ELSEWHERE:
        raise UnknownNameError("zoo with others to be tested on", name, ELSEWHERE)
    missing = [other for other in ELSEWHERE[name] if not is_at_hand(other)]
    commands = ", ".join(f"zoogen build {other}" for other in missing)
    if len(missing) == len(ELSEWHERE[name]):
        raise ZooError(f"no zoo to test {name} on is built; run one of: {commands}")
    if missing:
        log.warning("not tested on %s; to build them: %s", ", ".join(missing), commands)
    return [other for other in ELSEWHERE[name] if other not in missing]
