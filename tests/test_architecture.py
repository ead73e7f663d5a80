"""Packages use of each other only what is public."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import zoobench
import zoogen

ROOT = Path(__file__).parents[1]
PUBLIC = {"zoogen": set(zoogen.__all__), "zoobench": set(zoobench.__all__)}
USERS = {"zoobench": ("zoogen",), "baselines": ("zoogen", "zoobench")}
FILES = [file for package in USERS for file in sorted((ROOT / package).glob("**/*.py"))]


def imports(file: Path) -> Iterator[tuple[str, str]]:
    """Yield every imported name with the module it is taken from."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_other_packages_are_used_through_their_public_names(file: Path):
    package = file.relative_to(ROOT).parts[0]
    for module, name in imports(file):
        if module.partition(".")[0] in USERS[package]:
            assert module in PUBLIC, f"{file} imports from {module}"
            assert name in PUBLIC[module], f"{file} imports {name} from {module}"


def test_every_public_name_is_there():
    for package, names in PUBLIC.items():
        module = {"zoogen": zoogen, "zoobench": zoobench}[package]
        assert all(hasattr(module, name) for name in names)
