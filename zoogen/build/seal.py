"""The last step of a build: join the rows, then write card and manifest."""

import platform
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from zoogen.atomic import write_text
from zoogen.spec.configs import model_configs
from zoogen.spec.split import shares_starts
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.card import CARD, PLOTS, zoo_card
from zoogen.store.croissant import CROISSANT
from zoogen.store.manifest import FORMAT_VERSION, TABLE, Manifest, file_entry, write_manifest
from zoogen.store.table import part_path, read_part, split_sha256, write_table


def seal(spec: ZooSpec, folder: Path, shards: Sequence[int], images_sha256: str) -> Manifest:
    """Join the rows of all shards into the table, then write card and manifest."""
    import pandas as pd

    rows, notes = zip(*(read_part(part_path(folder, number)) for number in shards), strict=True)
    table = pd.concat(rows, ignore_index=True)
    write_table(folder / TABLE, table)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        spec=spec,
        layout=spec.network.layout.shapes,
        models_planned=spec.models,
        models_built=sum(len(note.models) for note in notes),
        shared_starts=shares_starts(spec, model_configs(spec)),
        failures=tuple(failure for note in notes for failure in note.failures),
        images_sha256=images_sha256,
        split_sha256=split_sha256(spec),
        table=file_entry(folder, TABLE, len(table)),
        shards=tuple(note.weights for note in notes),
        versions={
            "zoogen": version("zoobench"),
            "torch": version("torch"),
            "numpy": version("numpy"),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "device": ", ".join(sorted({note.device for note in notes})),
            "path": notes[0].path,
            **({"numba": version("numba")} if notes[0].path == "kernels" else {}),
        },
    )
    shutil.rmtree(folder / PLOTS, ignore_errors=True)  # outdated, like the croissant.json
    (folder / CROISSANT).unlink(missing_ok=True)
    write_text(folder / CARD, zoo_card(manifest, table))
    write_manifest(folder, manifest)
    parts = [part_path(folder, number) for number in shards]
    for part in parts:
        part.unlink()
    if not any(parts[0].parent.iterdir()):
        parts[0].parent.rmdir()
    return manifest
