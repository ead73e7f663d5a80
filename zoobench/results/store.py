"""Where results lie: ``results/{embedder}/{zoo}/{probe}/``."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from zoobench.results.results import RESULT, Result, read_result
from zoogen import ZooError


def label(name: str, settings: Mapping[str, str]) -> str:
    """Name an embedder with the settings that were changed: ``pca-linear,dim=10``."""
    changed = (f"{key}={value}" for key, value in sorted(settings.items()))
    return re.sub(r"[^A-Za-z0-9=,._+-]", "_", ",".join((name, *changed)))


def result_folder(root: Path, embedder: str, zoo: str, probe: str) -> Path:
    """Return the folder of one result."""
    return root / embedder / zoo / probe


def find_results(root: Path, embedder: str | None = None) -> Iterator[tuple[Path, Result]]:
    """Read all results below ``root``, or those of one embedder.

    Raises:
        ZooError: If there is none.
    """
    folders = sorted(path.parent for path in root.glob(f"{embedder or '*'}/*/*/{RESULT}"))
    if not folders:
        there = sorted(path.name for path in root.glob("*/"))
        known = f"; there are results of {', '.join(there)}" if there else ""
        raise ZooError(
            f"no results of {embedder or 'any embedder'} in {root}{known}; "
            "run: zoobench evaluate EMBEDDER"
        )
    for folder in folders:
        yield folder, read_result(folder)


def find_result(root: Path, embedder: str, zoo: str, probe: str) -> Result | None:
    """Return one result, or None if it was never made."""
    folder = result_folder(root, embedder, zoo, probe)
    return read_result(folder) if (folder / RESULT).exists() else None
