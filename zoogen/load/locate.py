"""Where a zoo is, by its name: in a folder, in the cache, on the Hub, or still to be built."""

import logging
from dataclasses import dataclass
from pathlib import Path

from zoogen.build.zoo import build_zoo
from zoogen.errors import IntegrityError, UnknownNameError, ZooError
from zoogen.hub.fetch import bring, fetch_zoo, is_fetched
from zoogen.hub.reference import Reference, is_reference, parse_reference, published
from zoogen.hub.remote import Remote, find_remote, note_commit, noted_folder
from zoogen.places import cache_folder, zoo_folder
from zoogen.spec.registry import ZOOS
from zoogen.store.manifest import MANIFEST
from zoogen.store.subset import Subset

log = logging.getLogger(__name__)

BUILT_ON_DEMAND = ("tetris-seed", "tetris-hyp")


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for, and by which way to the Hub; see ``load_zoo``."""

    subset: Subset
    stream: bool = False
    endpoint: str | None = None
    token: str | None = None
    cache_dir: Path | None = None

    def find(self, name: str) -> tuple[Path, Remote | None]:
        """Return the folder of a zoo, and where it came from if that is the Hub.

        What is missing is fetched; a Tetris zoo that is nowhere is built.

        Raises:
            IntegrityError, UnknownNameError, ZooError: As ``load_zoo``.
        """
        if is_reference(name):
            return self.at_commit(parse_reference(name))
        folder = find_folder(name, self.cache_dir)
        if name not in ZOOS or is_built(folder):
            return folder, None
        reason = f"{name} is not in {folder.parent}"
        reference = published(name)
        if reference is not None:
            try:
                return self.by_name(name, reference)
            except IntegrityError:
                raise
            except ZooError as error:
                reason = f"{reason}, and {error}"
        if name not in BUILT_ON_DEMAND:
            raise ZooError(f"{reason}; run: zoogen build {name}")
        if reference is not None:
            log.warning("%s; building it", reason)
        build_zoo(ZOOS[name], folder)
        return folder, None

    def by_name(self, name: str, reference: Reference) -> tuple[Path, Remote | None]:
        """Fetch a registered zoo: all of it to where it would be built, a part beside it."""
        if self.stream or not self.subset.is_everything:
            return self.at_commit(reference)
        fetched = fetch_zoo(
            name, endpoint=self.endpoint, token=self.token, cache_dir=self.cache_dir
        )
        return fetched.folder, None

    def at_commit(self, reference: Reference) -> tuple[Path, Remote]:
        """Fetch what is missing of a zoo at the commit that a reference means."""
        remote = find_remote(
            reference, endpoint=self.endpoint, token=self.token, cache_dir=self.cache_dir
        )
        if not is_fetched(remote.folder, self.subset, weights=not self.stream):
            bring(remote, remote.folder, self.subset, weights=not self.stream)
        note_commit(remote)
        return remote.folder, remote


def find_folder(name: str | Path, cache_dir: Path | None = None) -> Path:
    """Return the folder of a zoo, by path, registered name or reference, whether built or not.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name.
        ZooError: If nothing was fetched yet by this reference.
    """
    path = Path(name)
    if is_reference(str(name)):
        return noted_folder(parse_reference(str(name)), cache_dir or cache_folder())
    if is_built(path) or (path.is_dir() and str(name) not in ZOOS):
        return path
    if str(name) in ZOOS:
        return zoo_folder(str(name), cache_dir)
    raise UnknownNameError("zoo", str(name), ZOOS)


def is_at_hand(name: str | Path) -> bool:
    """Tell whether ``load_zoo`` finds a zoo, or builds it in a minute or two.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name.
    """
    return is_built(find_folder(name)) or str(name) in BUILT_ON_DEMAND


def is_built(folder: Path) -> bool:
    """Tell whether a build in this folder came to its end."""
    return (folder / MANIFEST).exists()
