"""Consistency of a manifest with its spec and its table: no hash protects the manifest itself."""

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
    """Check the fields of a manifest that follow from other fields or from the table.

    Starting points and splits of an imported zoo are not checked: only the original knows them.

    Args:
        folder: Folder of the zoo, for the message.
        manifest: Manifest of the zoo.
        table: All rows of the table.

    Raises:
        IntegrityError: At the first field that differs.
    """
    for field, found, expected in claims(manifest, table):
        if found != expected:
            raise IntegrityError(
                f"{folder / MANIFEST}: {field} is {found}, spec and table give {expected}; "
                f"the manifest was altered, {REMEDY}"
            )


def claims(manifest: Manifest, table: "pd.DataFrame") -> Iterator[tuple[str, object, object]]:
    """Yield name, value and expected value of each field that follows from others."""
    spec = manifest.spec
    lost = {failure.model for failure in manifest.failures}
    yield "models_planned", manifest.models_planned, spec.models
    yield "models_built", manifest.models_built, table["model"].nunique() + len(lost)
    if isinstance(spec, ImportedSpec):
        return
    yield "spec.epochs", list(spec.stored_epochs), sorted(table["epoch"].unique().tolist())
    yield "shared_starts", manifest.shared_starts, shares_starts(spec, model_configs(spec))
    yield "split_sha256", manifest.split_sha256, split_sha256(spec)
