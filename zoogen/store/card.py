"""Cards: a README that says what is in the folder of a zoo and how to read it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoogen.spec.axes import RandomSeeds, Range
from zoogen.spec.configs import SCALED
from zoogen.spec.imported import AnySpec, ImportedSpec
from zoogen.spec.zoo_spec import AXES
from zoogen.store.front_matter import front_matter
from zoogen.store.manifest import TABLE, Manifest
from zoogen.store.table import PLACE

if TYPE_CHECKING:
    import pandas as pd

CARD = "README.md"
PLOTS = "plots"
MOST_LISTED = 10

TEMPLATE = """\
{front_matter}
# {name}

{models} trained networks, {snapshots} snapshots of {params} weights each.{part}

| | |
|---|---|
{facts}

| property | min | median | max |
|---|---|---|---|
{ranges}
{checks}{pictures}
`{table}` has one row per snapshot; row `row` of `weights/{{shard:05d}}.safetensors` is its weight
vector. The vector holds these tensors side by side, row-major: {layout}. `zoo.json` names every
file with its SHA-256. Splits are {split}{shared}.

```python
from zoogen import load_zoo

zoo = load_zoo("{source}")          # or the path of this folder
zoo.train.weights                 # [snapshots, params] float32, memory-mapped
zoo.network(0)                    # the torch module of the first row of zoo.properties
```
"""


def facts(spec: AnySpec) -> dict[str, str]:
    """Return the settings of a zoo as text, by name."""
    axes = {axis.replace("_", " "): values_text(getattr(spec, axis)) for axis in AXES}
    if isinstance(spec, ImportedSpec):
        return imported_facts(spec, axes)
    if not set(SCALED) & set(spec.initialiser):
        del axes["init std"]
    fixed = {}
    if "sgd" in spec.optimiser:
        fixed["momentum"] = f"{spec.momentum} (sgd)"
    if any(slot.name.endswith("bias") for slot in spec.network.layout):
        fixed["initial bias"] = f"{spec.initial_bias}"
    return {
        "zoo": f"{spec.name}, version {spec.version}",
        "network": f"{spec.network}, {spec.network.layout.params} weights",
        **axes,
        **fixed,
        "seeds": values_text(spec.seeds),
        "images": f"{spec.images}, batch size {spec.batch_size}",
        "epochs": f"{spec.epochs}",
        "snapshots": values_text(spec.stored_epochs),
        "models": f"{spec.models}",
        "source": spec.source or "own spec",
        "licence": spec.licence,
    }


def imported_facts(spec: ImportedSpec, axes: dict[str, str]) -> dict[str, str]:
    """Return the settings and the origin of an imported zoo as text, by name."""
    origin = spec.origin
    left_out = sum(max(1, len(one.epochs)) for one in origin.skipped)
    return {
        "zoo": f"{spec.name}, version {spec.version}",
        "network": f"{spec.network}, {spec.network.layout.params} weights",
        **{axis: text or "unknown" for axis, text in axes.items()},
        **dict(origin.also),
        "images": spec.images,
        "snapshots": values_text(spec.stored_epochs),
        "models": f"{spec.models}",
        "source": spec.source,
        "licence": spec.licence,
        "imported from": f"{origin.format}, {origin.files} files, sha256 {origin.sha256}",
        "left out": f"{left_out} snapshots, each named in zoo.json" if left_out else "nothing",
    }


def split_text(spec: AnySpec) -> str:
    """Describe how models were assigned to splits."""
    if isinstance(spec, ImportedSpec):
        return spec.origin.split
    return f"70/15/15 by {'starting weights' if spec.group == 'start' else 'model'}"


def values_text(values: tuple[Any, ...] | Range | RandomSeeds) -> str:
    """List a few values, or give the range of many."""
    if isinstance(values, tuple) and len(values) > MOST_LISTED:
        return f"{len(values)}, from {values[0]} to {values[-1]}"
    return ", ".join(map(str, values)) if isinstance(values, tuple) else str(values)


def built_facts(manifest: Manifest) -> dict[str, str]:
    """Return the settings of a zoo as text, with the number of built models."""
    built, planned = manifest.models_built, manifest.models_planned
    return facts(manifest.spec) | {
        "models": f"{built} of {planned}, {len(manifest.failures)} failed"
    }


def measured_columns(rows: "pd.DataFrame") -> list[str]:
    """Return the names of the columns of measured numbers, in the order of the table."""
    numbers = map(str, rows.select_dtypes("number"))
    return [name for name in numbers if name not in {*PLACE, *AXES, "seed"}]


def shared_text(manifest: Manifest) -> str:
    """Describe what the splits share, if models of different groups start from the same weights."""
    if not manifest.shared_starts:
        return ""
    first = "; models share starting points across splits"
    equal = ", so snapshots at epoch 0 are equal in train and test"
    return first + equal if 0 in manifest.spec.stored_epochs else first


def part_text(manifest: Manifest) -> str:
    """Say how much of the zoo is built, unless it is complete."""
    if manifest.is_complete:
        return ""
    return (
        f"\nThis is a part of the zoo: the first {manifest.models_built:,} of "
        f"{manifest.models_planned:,} models. Splits are those of the full zoo."
    )


def check_lines(manifest: Manifest) -> str:
    """List the checks of an import."""
    if not manifest.checks:
        return ""
    rows = (f"| {one.name} | {one.outcome} | {one.detail} |" for one in manifest.checks)
    return "\n" + "\n".join(["| check | outcome | found |", "|---|---|---|", *rows]) + "\n"


def zoo_card(
    manifest: Manifest,
    rows: "pd.DataFrame",
    plots: Mapping[str, str] | None = None,
    source: str | None = None,
) -> str:
    """Return the card of a zoo.

    Args:
        manifest: Manifest of the zoo.
        rows: Table of the zoo.
        plots: Caption of each picture in the folder ``plots`` of the zoo, by file name.
        source: Argument of ``load_zoo`` in the example; by default the name of the zoo.
    """
    spec = manifest.spec
    pictures = (f"\n![{caption}]({PLOTS}/{name})\n" for name, caption in (plots or {}).items())
    ranges = (
        f"| {name} | {rows[name].min():.3f} | {rows[name].median():.3f} | {rows[name].max():.3f} |"
        for name in measured_columns(rows)
    )
    return TEMPLATE.format(
        name=spec.name,
        front_matter=front_matter(manifest),
        part=part_text(manifest),
        source=source or spec.name,
        table=TABLE,
        models=f"{manifest.models_built - len(manifest.failures):,}",
        snapshots=f"{len(rows):,}",
        params=spec.network.layout.params,
        facts="\n".join(f"| {name} | {value} |" for name, value in built_facts(manifest).items()),
        ranges="\n".join(ranges),
        checks=check_lines(manifest),
        pictures="".join(pictures),
        layout=", ".join(f"`{slot.name}` {list(slot.shape)}" for slot in spec.network.layout),
        split=split_text(spec),
        shared=shared_text(manifest),
    )
