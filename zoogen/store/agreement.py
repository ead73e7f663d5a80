"""Does a manifest say what its spec and its table say: it holds all hashes but its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zoogen.errors import IntegrityError
from zoogen.spec.configs import model_configs
from zoogen.spec.imported import ImportedSpec
from zoogen.spec.split import shares_starts
from zoogen.store.manifest import MANIFEST, REMEDY, Manifest
from zoogen.store.table import split_sha256

if TYPE_CHECKING:
    import pandas as pd


def check_agreement(folder: Path, manifest: Manifest, table: "pd.DataFrame") -> None:
    """Make sure that what a manifest says twice, or the table says too, is the same.

    Of an imported zoo the original alone knows which starting points and splits there were.

    Args:
        folder: Of the zoo, for the message.
        manifest: Read from it.
        table: All of its rows.

    Raises:
        IntegrityError: At the first field that differs.
    """
    for field, says, expected in claims(manifest, table):
        if says != expected:
            raise IntegrityError(
                f"{folder / MANIFEST}: {field} is {says}, spec and table give {expected}; "
                f"the manifest was altered, {REMEDY}"
            )


def claims(manifest: Manifest, table: "pd.DataFrame") -> Iterator[tuple[str, object, object]]:
    """Yield fields that follow from others: the name, what it says and what it must say."""
    spec = manifest.spec
    lost = {failure.model for failure in manifest.failures}
    yield "models_planned", manifest.models_planned, spec.models
    yield "models_built", manifest.models_built, table["model"].nunique() + len(lost)
    if isinstance(spec, ImportedSpec):
        return
    yield "spec.epochs", list(spec.stored_epochs), sorted(table["epoch"].unique().tolist())
    yield "shared_starts", manifest.shared_starts, shares_starts(spec, model_configs(spec))
    yield "split_sha256", manifest.split_sha256, split_sha256(spec)
