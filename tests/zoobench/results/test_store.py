"""The folder of a result."""

from pathlib import Path

import pytest

from zoobench.results.store import find_result, find_results, label, result_folder
from zoogen import ZooError


def test_a_label_names_changed_settings_and_is_safe_as_a_folder():
    assert label("pca-linear", {}) == "pca-linear"
    assert label("pca", {"n": "3", "kind": "a/b"}) == "pca,kind=a_b,n=3"
    assert Path(label("../x", {"y": "/etc"})).name == label("../x", {"y": "/etc"})


def test_a_missing_result_is_none_and_a_missing_embedder_an_error(tmp_path: Path):
    assert find_result(tmp_path, "norms", "tetris-seed", "standard") is None
    (tmp_path / "norms").mkdir()
    with pytest.raises(ZooError, match="there are results of norms"):
        list(find_results(tmp_path, "nroms"))


def test_a_result_lies_below_embedder_zoo_and_probe():
    assert result_folder(Path("r"), "e", "z", "p") == Path("r/e/z/p")
