"""Front matter of a card: the lines at its head that the Hugging Face Hub reads."""

import json

from zoogen.store.manifest import TABLE, Manifest

TAGS = ("model-zoo", "weight-space-learning", "neural-network-weights")
CONFIG = "snapshots"

LICENCES = frozenset(
    {
        "afl-3.0",
        "agpl-3.0",
        "apache-2.0",
        "artistic-2.0",
        "bsd",
        "bsd-2-clause",
        "bsd-3-clause",
        "bsd-3-clause-clear",
        "bsl-1.0",
        "c-uda",
        "cc",
        "cc-by-2.0",
        "cc-by-2.5",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-nc-2.0",
        "cc-by-nc-3.0",
        "cc-by-nc-4.0",
        "cc-by-nc-nd-3.0",
        "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-2.0",
        "cc-by-nc-sa-3.0",
        "cc-by-nc-sa-4.0",
        "cc-by-nd-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc0-1.0",
        "cdla-permissive-1.0",
        "cdla-permissive-2.0",
        "cdla-sharing-1.0",
        "ecl-2.0",
        "epl-1.0",
        "epl-2.0",
        "etalab-2.0",
        "eupl-1.1",
        "eupl-1.2",
        "gfdl",
        "gpl",
        "gpl-2.0",
        "gpl-3.0",
        "isc",
        "lgpl",
        "lgpl-2.1",
        "lgpl-3.0",
        "lgpl-lr",
        "lppl-1.3c",
        "mit",
        "mpl-2.0",
        "ms-pl",
        "ncsa",
        "odbl",
        "odc-by",
        "ofl-1.1",
        "osl-3.0",
        "pddl",
        "postgresql",
        "unlicense",
        "wtfpl",
        "zlib",
    }
)
"""Licences that the Hub knows; any other is called ``other`` and named in ``license_name``."""

UPPER_BOUNDS = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
)


def front_matter(manifest: Manifest) -> str:
    """Return licence, name, tags, size and the file that the Hub's viewer shows, as YAML.

    ``configs`` leaves out the weights, which are not a table. The Hub's split is called
    ``snapshots`` because the table holds the rows of all splits.
    """
    spec = manifest.spec
    return "\n".join(
        (
            "---",
            *licence_lines(spec.licence),
            f"pretty_name: {json.dumps(spec.name)}",
            f"tags: [{', '.join(TAGS)}]",
            f"size_categories: [{size_category(manifest.table.rows)}]",
            "configs:",
            f"- config_name: {CONFIG}",
            "  data_files:",
            f"  - split: {CONFIG}",
            f"    path: {TABLE}",
            "---",
        )
    )


def licence_lines(licence: str) -> tuple[str, ...]:
    """Name a licence as the Hub does."""
    if licence.lower() in LICENCES:
        return (f"license: {licence.lower()}",)
    return "license: other", f"license_name: {json.dumps(licence)}"


def size_category(rows: int) -> str:
    """Return the Hub's size category for a number of rows."""
    return next((name for bound, name in UPPER_BOUNDS if rows < bound), "100M<n<1B")
