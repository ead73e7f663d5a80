"""The folder of results: ``results/{embedder}/{zoo}/{probe}/``."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from zoobench.results.files import RESULT, read_result
from zoobench.results.record import Record
from zoogen import ZooError


def label(name: str, settings: Mapping[str, str]) -> str:
    """Name an embedder with its changed settings: ``pca-linear,dim=10``."""
    changed = (f"{key}={value}" for key, value in sorted(settings.items()))
    return re.sub(r"[^A-Za-z0-9=,._+-]", "_", ",".join((name, *changed)))


def result_folder(root: Path, embedder: str, zoo: str, probe: str) -> Path:
    """Return the folder of one result."""
    return root / embedder / zoo / probe


def find_results(root: Path, embedder: str | None = None) -> Iterator[tuple[Path, Record]]:
    """Read all results below ``root``, or those of one embedder.

    Raises:
        ZooError: If there are none.
    """
    folders = sorted(path.parent for path in root.glob(f"{embedder or '*'}/*/*/{RESULT}"))
    if not folders:
        embedders = sorted(path.name for path in root.glob("*/"))
        known = f"; there are results of {', '.join(embedders)}" if embedders else ""
        raise ZooError(
            f"no results of {embedder or 'any embedder'} in {root}{known}; "
            "run: zoobench evaluate EMBEDDER"
        )
    for folder in folders:
        yield folder, read_result(folder)


def find_result(root: Path, embedder: str, zoo: str, probe: str) -> Record | None:
    """Read one result, or return None if there is none."""
    folder = result_folder(root, embedder, zoo, probe)
    return read_result(folder) if (folder / RESULT).exists() else None
