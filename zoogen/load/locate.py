"""Find a zoo by its name: in a folder, in the cache or on the Hub; or build it."""

import logging
from dataclasses import dataclass
from pathlib import Path

from zoogen.build.zoo import build_zoo
from zoogen.errors import IntegrityError, UnknownNameError, ZooError
from zoogen.hub.address import HubAddress, is_address, parse_address, published_address
from zoogen.hub.fetch import fetch_subset, fetch_zoo, is_fetched
from zoogen.hub.remote import Remote, find_remote, note_commit, noted_folder
from zoogen.places import cache_folder, zoo_folder
from zoogen.spec.registry import ZOOS
from zoogen.store.manifest import MANIFEST
from zoogen.store.subset import Subset

log = logging.getLogger(__name__)

BUILT_ON_DEMAND = ("tetris-seed", "tetris-hyp")


@dataclass(frozen=True, kw_only=True)
class Search:
    """The requested snapshots and the way to the Hub, see ``load_zoo``."""

    subset: Subset
    stream: bool = False
    endpoint: str | None = None
    token: str | None = None
    cache_dir: Path | None = None

    def find(self, name: str) -> tuple[Path, Remote | None]:
        """Return the folder of a zoo, and its repository if it came from the Hub.

        Missing files are fetched; a Tetris zoo that is found nowhere is built.

        Raises:
            IntegrityError, UnknownNameError, ZooError: As ``load_zoo``.
        """
        if is_address(name):
            return self.at_commit(parse_address(name))
        folder = find_folder(name, self.cache_dir)
        if name not in ZOOS or is_built(folder):
            return folder, None
        reason = f"{name} is not in {folder.parent}"
        address = published_address(name)
        if address is not None:
            try:
                return self.by_name(name, address)
            except IntegrityError:
                raise
            except ZooError as error:
                reason = f"{reason}, and {error}"
        if name not in BUILT_ON_DEMAND:
            raise ZooError(f"{reason}; run: zoogen build {name}")
        if address is not None:
            log.warning("%s; building it", reason)
        build_zoo(ZOOS[name], folder)
        return folder, None

    def by_name(self, name: str, address: HubAddress) -> tuple[Path, Remote | None]:
        """Fetch a registered zoo: all of it into its own folder, a part into the Hub's cache."""
        if self.stream or not self.subset.is_everything:
            return self.at_commit(address)
        fetched = fetch_zoo(
            name, endpoint=self.endpoint, token=self.token, cache_dir=self.cache_dir
        )
        return fetched.folder, None

    def at_commit(self, address: HubAddress) -> tuple[Path, Remote]:
        """Fetch the missing files of a zoo at the commit of an address."""
        remote = find_remote(
            address, endpoint=self.endpoint, token=self.token, cache_dir=self.cache_dir
        )
        if not is_fetched(remote.folder, self.subset, weights=not self.stream):
            fetch_subset(remote, remote.folder, self.subset, weights=not self.stream)
        note_commit(remote)
        return remote.folder, remote


def find_folder(name: str | Path, cache_dir: Path | None = None) -> Path:
    """Return the folder of a zoo, built or not, by path, registered name or address.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name.
        ZooError: If nothing was fetched from this address yet.
    """
    path = Path(name)
    if is_address(str(name)):
        return noted_folder(parse_address(str(name)), cache_dir or cache_folder())
    if is_built(path) or (path.is_dir() and str(name) not in ZOOS):
        return path
    if str(name) in ZOOS:
        return zoo_folder(str(name), cache_dir)
    raise UnknownNameError("zoo", str(name), ZOOS)


def is_at_hand(name: str | Path) -> bool:
    """Tell whether ``load_zoo`` finds a zoo, or builds it in a minute or two.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name.

    Example:
        >>> import zoogen
        >>> zoogen.is_at_hand("tetris-seed"), zoogen.is_at_hand("svhn-seed")
        (True, False)
    """
    return is_built(find_folder(name)) or str(name) in BUILT_ON_DEMAND


def is_built(folder: Path) -> bool:
    """Tell whether this folder holds a finished zoo.

    Example:
        >>> import zoogen
        >>> zoogen.is_built(zoogen.zoo_folder("svhn-seed"))
        False
    """
    return (folder / MANIFEST).exists()
