"""The page on the file format: its reader reads real zoos, and it names every column and field."""

import ast
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.zoogen.store.test_manifest import edit, flip
from zoogen import Zoo
from zoogen.store.manifest import FORMAT_VERSION, MANIFEST_JSON, TABLE
from zoogen.store.shards import LARGEST_HEADER, shard_name

PAGE = (Path(__file__).parents[3] / "docs" / "file-format.md").read_text()
READER = re.search(r"^```python\n(.*?)^```$\n\nSaved as `read_zoo.py`", PAGE, re.M | re.S)[1]  # type: ignore[index]


@pytest.fixture
def read_zoo() -> Any:
    """The function on the page."""
    scope: dict[str, Any] = {}
    exec(compile(READER, "file-format.md", "exec"), scope)
    return scope["read_zoo"]


def test_the_reader_is_short_and_needs_only_safetensors_and_pandas():
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name)
        for node in ast.walk(ast.parse(READER))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported - set(sys.stdlib_module_names) == {"safetensors", "pandas"}
    assert len(READER.splitlines()) <= 30


@pytest.mark.parametrize("name", ["mixed_zoo", "cnn_zoo"])
def test_the_reader_reads_what_load_zoo_reads(
    name: str, request: pytest.FixtureRequest, read_zoo: Any
):
    zoo: Zoo = request.getfixturevalue(name)
    read = list(read_zoo(zoo.folder))
    assert len(read) == len(zoo.properties)
    for place in range(0, len(read), 7):
        row, tensors = read[place]
        assert row.to_dict() == zoo.properties.iloc[place].to_dict()
        assert tensors.keys() == zoo.layout.shapes.keys()
        vector = np.concatenate([tensor.ravel() for tensor in tensors.values()])
        assert vector.tobytes() == zoo.weights[place].tobytes()
        assert all(tensor.shape == zoo.layout[key].shape for key, tensor in tensors.items())


@pytest.mark.parametrize("file", [TABLE, shard_name(1)])
def test_the_reader_refuses_altered_files(copied_zoo: Path, read_zoo: Any, file: str):
    flip(copied_zoo / file)
    with pytest.raises(AssertionError, match=file):
        list(read_zoo(copied_zoo))


def test_the_reader_opens_no_file_outside_its_folder(copied_zoo: Path, read_zoo: Any):
    shutil.copy(copied_zoo / shard_name(0), copied_zoo.parent / "out")
    edit(copied_zoo, lambda fields: fields["shards"][0].update(file="../out"))
    with pytest.raises(AssertionError, match="out"):
        list(read_zoo(copied_zoo))


def test_every_column_and_field_is_on_the_page(mixed_zoo: Zoo):
    for column in mixed_zoo.properties:
        assert f"`{column}`" in PAGE or str(column).startswith("f1_class_"), column
    fields = MANIFEST_JSON.dump_python(mixed_zoo.manifest, mode="json")
    listed = PAGE.partition("## Manifest")[2].partition("## Shards")[0]
    assert {name for name in fields if f"`{name}`" not in listed} == set()
    assert f"Format version {FORMAT_VERSION}." in PAGE
    assert LARGEST_HEADER == 2**20
    assert "at most 1 MiB" in " ".join(PAGE.split())
