"""``croissant.json`` of a published zoo, read by Croissant's own reader."""

import json
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import mlcroissant
import pandas as pd
import pytest

from tests.hub import Hub
from tests.zoogen.publish.test_zoo import REPO, published
from zoogen import Zoo, ZooError
from zoogen.store.croissant import CROISSANT, croissant_json, first_published

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::DeprecationWarning:{package}")
    for package in ("rdflib", "mlcroissant")
]


@pytest.fixture
def fetched(hub: Hub, mixed_zoo: Zoo, tmp_path: Path) -> Path:
    """A folder with the files of a published zoo on the Hub."""
    published(hub, mixed_zoo.folder)
    for name, content in hub.repository(REPO).contents().items():
        path = tmp_path / "fetched" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "fetched"


def read(folder: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads((folder / CROISSANT).read_text())
    return fields


def test_the_records_are_the_rows_of_the_table(fetched: Path, mixed_zoo: Zoo):
    dataset = mlcroissant.Dataset(jsonld=str(fetched / CROISSANT))
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    records = pd.DataFrame(list(dataset.records("snapshots")))
    records.columns = [name.removeprefix("snapshots/") for name in records]
    for name in records.select_dtypes(object):
        if isinstance(records[name].iloc[0], bytes):
            records[name] = records[name].str.decode("utf-8")
    pd.testing.assert_frame_equal(records, mixed_zoo.properties, check_dtype=False)


def test_metadata_that_cannot_be_loaded_is_not_published(
    hub: Hub, mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    def misnamed(*arguments: Any, **options: Any) -> str:
        return croissant_json(*arguments, **options).replace('"column": "epoch"', '"column": "age"')

    monkeypatch.setattr("zoogen.publish.zoo.croissant_json", misnamed)
    with pytest.raises(
        ZooError, match=r"cannot read the croissant\.json that it wrote .*nothing wa"
    ):
        published(hub, mixed_zoo.folder)
    assert not hub.repositories


def test_croissants_reader_detects_an_altered_table(fetched: Path):
    table = fetched / "snapshots.parquet"
    table.write_bytes(table.read_bytes() + b"x")
    dataset = mlcroissant.Dataset(jsonld=str(fetched / CROISSANT))
    with pytest.raises(Exception, match=r"Download\(snapshots\.parquet\)"):
        next(iter(dataset.records("snapshots")))


def test_all_fields_of_the_standard_are_there(fetched: Path, hub: Hub, mixed_zoo: Zoo):
    fields = read(fetched)
    assert fields["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert fields["@type"] == "sc:Dataset"
    page = f"{hub.url}/datasets/{REPO}"
    found = {name: fields[name] for name in ("name", "url", "license", "version", "creator")}
    assert found == {
        "name": "mixed",
        "url": page,
        "license": "https://spdx.org/licenses/CC-BY-4.0",
        "version": "1.0.0",
        "creator": {"@type": "sc:Organization", "name": "org", "url": f"{hub.url}/org"},
    }
    assert "192 trained networks" in fields["description"]
    assert fields["citeAs"]
    assert date.fromisoformat(fields["datePublished"]).year >= 2026
    (records,) = fields["recordSet"]
    assert [field["name"] for field in records["field"]] == list(mixed_zoo.properties)
    assert all(field["description"] for field in records["field"])


def test_the_file_set_holds_exactly_the_shards(fetched: Path, mixed_zoo: Zoo):
    files = {file["@id"]: file for file in read(fetched)["distribution"]}
    assert set(files) == {"repository", "snapshots.parquet", "zoo.json", "weights"}
    weights = files["weights"]
    assert weights["@type"] == "cr:FileSet"
    assert weights["encodingFormat"] == "application/vnd.safetensors"
    names = [path.relative_to(fetched).as_posix() for path in fetched.rglob("*")]
    matched = {name for name in names if fnmatch(name, weights["includes"])}
    assert matched == {shard.file for shard in mixed_zoo.manifest.shards}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"distribution": 3}', '{"distribution": [{}]}', "[" * 100_000],
)
def test_other_metadata_has_no_publication_date(mixed_zoo: Zoo, text: str):
    assert first_published(text, mixed_zoo.manifest) is None


def test_only_the_same_rows_keep_their_publication_date(
    fetched: Path, mixed_zoo: Zoo, seed_zoo: Zoo
):
    text = (fetched / CROISSANT).read_text()
    assert first_published(text, mixed_zoo.manifest) == date.fromisoformat(
        read(fetched)["datePublished"]
    )
    assert first_published(text, seed_zoo.manifest) is None
    assert (
        first_published(
            text.replace('"datePublished": "2', '"datePublished": "x'), mixed_zoo.manifest
        )
        is None
    )
