"""The front matter of a card is YAML that the Hub understands."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from zoogen import Manifest, Zoo
from zoogen.store.card import CARD, zoo_card
from zoogen.store.front_matter import front_matter, size_category


def parsed(text: str) -> dict[str, Any]:
    _, head, _ = text.split("---\n", 2) if text.count("---\n") > 1 else ("", text.strip("-"), "")
    fields: dict[str, Any] = yaml.safe_load(head)
    return fields


def licensed(manifest: Manifest, licence: str) -> Manifest:
    return replace(manifest, spec=replace(manifest.spec, licence=licence))


def test_the_card_in_the_folder_has_front_matter(mixed_zoo: Zoo):
    fields = parsed((mixed_zoo.folder / CARD).read_text())
    assert fields == {
        "license": "cc-by-4.0",
        "pretty_name": "mixed",
        "tags": ["model-zoo", "weight-space-learning", "neural-network-weights"],
        "size_categories": ["n<1K"],
        "configs": [
            {
                "config_name": "snapshots",
                "data_files": [{"split": "snapshots", "path": "snapshots.parquet"}],
            }
        ],
    }


def test_the_hubs_client_reads_the_front_matter(mixed_zoo: Zoo):
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(mixed_zoo.folder / CARD)
    assert card.data.license == "cc-by-4.0"
    assert card.data.to_dict() == parsed(card.content)
    assert card.text.lstrip().startswith("# mixed")


@pytest.mark.parametrize(
    ("licence", "fields"),
    [
        ("MIT", {"license": "mit"}),
        ("CC-BY-NC-SA-4.0", {"license": "cc-by-nc-sa-4.0"}),
        ("GPL-2.0-only", {"license": "other", "license_name": "GPL-2.0-only"}),
        ('My: "own" {licence}', {"license": "other", "license_name": 'My: "own" {licence}'}),
        ("", {"license": "other", "license_name": ""}),
    ],
)
def test_a_licence_unknown_to_the_hub_is_called_other(
    mixed_zoo: Zoo, licence: str, fields: dict[str, str]
):
    head = parsed(front_matter(licensed(mixed_zoo.manifest, licence)) + "\n")
    assert {name: head[name] for name in head if name.startswith("license")} == fields


@pytest.mark.parametrize("name", ["1e5", "no", "null", "0.1", "2026-01-01"])
def test_a_name_that_looks_like_a_yaml_value_stays_text(mixed_zoo: Zoo, name: str):
    manifest = replace(mixed_zoo.manifest, spec=replace(mixed_zoo.spec, name=name))
    assert parsed(front_matter(manifest) + "\n")["pretty_name"] == name


@pytest.mark.parametrize(
    ("rows", "category"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (75_000, "10K<n<100K"),
        (270_000, "100K<n<1M"),
        (5_000_000, "1M<n<10M"),
        (10**8, "100M<n<1B"),
    ],
)
def test_sizes_are_the_hubs_categories(rows: int, category: str):
    assert size_category(rows) == category


def test_only_a_partial_zoo_is_called_a_part(mixed_zoo: Zoo):
    whole = zoo_card(mixed_zoo.manifest, mixed_zoo.properties)
    assert "a part of the zoo" not in whole
    part = replace(mixed_zoo.manifest, models_planned=2000)
    assert "part of the zoo: the first 192 of 2,000 models." in zoo_card(part, mixed_zoo.properties)
