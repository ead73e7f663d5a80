"""Stamps follow the content of code and zoos."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from zoobench.embedders.find import find_embedder
from zoobench.embedders.provenance import (
    class_of,
    code_home,
    code_sha256,
    commit_of,
    embedder_stamp,
    package_versions,
    settings_of,
    zoo_stamp,
)
from zoogen import Weights, Zoo, ZooError, load_zoo

EMBEDDER = """
class Embedder:
    name = "one"
    fit = transform = lambda self, *a, **k: self

embedder = Embedder()
"""


@dataclass
class Chosen:
    dim: int = 3
    kinds: tuple[str, ...] = ("a", "b")
    name: str = "chosen"

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Chosen":
        return self

    def transform(self, weights: Weights) -> np.ndarray:
        return np.asarray(weights)


def test_settings_are_the_fields_of_a_dataclass_as_json():
    assert settings_of(Chosen(dim=4)) == {"dim": 4, "kinds": ["a", "b"], "name": "chosen"}


def test_the_hash_follows_the_code_of_a_single_file(tmp_path: Path):
    (path := tmp_path / "one.py").write_text(EMBEDDER)
    home = code_home(class_of(find_embedder(str(path))))
    assert home == path
    before = code_sha256(home)
    path.write_text(EMBEDDER + "\n# changed\n")
    assert code_sha256(home) != before


def test_the_hash_follows_every_file_beside_a_module_of_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = tmp_path / "some_embedders"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text(EMBEDDER)
    monkeypatch.chdir(tmp_path)
    home = code_home(class_of(find_embedder("some_embedders.one")))
    assert home == package
    before = code_sha256(home)
    (package / "two.py").write_text("x = 1\n")
    assert code_sha256(home) != before


def test_the_class_of_an_adapted_estimator_is_scikit_learns():
    stamp = embedder_stamp(find_embedder("sklearn.decomposition:PCA"), name="pca")
    assert stamp.cls == "sklearn.decomposition._pca.PCA"
    assert "scikit-learn" in package_versions(stamp.cls)


def test_a_commit_comes_with_whether_the_code_has_changed_since(tmp_path: Path):
    (path := tmp_path / "one.py").write_text(EMBEDDER)
    assert commit_of(path) == (None, False)

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    assert commit_of(path) == (None, False)
    git("add", "one.py")
    git("commit", "--quiet", "--message", "one")
    commit = git("rev-parse", "HEAD")
    assert commit_of(path) == (commit, False)
    path.write_text(EMBEDDER + "\n# changed\n")
    assert commit_of(path) == (commit, True)


def test_part_of_a_zoo_gets_no_stamp(mixed_zoo: Zoo):
    assert zoo_stamp(mixed_zoo).content_sha256 == mixed_zoo.manifest.content_sha256
    with pytest.raises(ZooError, match=r"mixed is loaded in part \(10 snapshots\).*without split"):
        zoo_stamp(load_zoo(mixed_zoo.folder, models=5))
