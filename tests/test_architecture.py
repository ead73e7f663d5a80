"""Packages use what is public of each other, and rooms what is not private to another."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import zoobench
import zoogen

ROOT = Path(__file__).parents[1]
PUBLIC = {"zoogen": set(zoogen.__all__), "zoobench": set(zoobench.__all__)}
USERS = {"zoobench": ("zoogen",), "baselines": ("zoogen", "zoobench")}
ABOVE = ROOT / "baselines" / "paper"
"""It lies above all rooms of the packages it uses."""
SOURCES = [
    file
    for package in ("zoogen", "zoobench", "baselines", "benchmarks", "studies")
    for file in sorted((ROOT / package).glob("**/*.py"))
]
PACKAGED = [file for file in SOURCES if file.relative_to(ROOT).parts[0] in {*PUBLIC, *USERS}]
"""Benchmarks and studies look inside."""
USING = [
    file
    for file in SOURCES
    if file.relative_to(ROOT).parts[0] in USERS and ABOVE not in file.parents
]
ROOMS = sorted(face.parent for package in PUBLIC for face in (ROOT / package).glob("*/__init__.py"))
BESIDE = {f"zoogen.{path.stem}" for path in (ROOT / "zoogen").glob("*.py")} - {"zoogen.__init__"}
"""Modules beside the rooms of zoogen: files, locks, progress and the like, for all our packages."""
LONGEST = 300


def imports(file: Path) -> Iterator[tuple[str, str]]:
    """Yield every imported name with the module it is taken from."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def private(room: Path) -> set[str]:
    """Return the modules that a room says are its own."""
    modules = {path.stem for path in room.iterdir() if path.stem[0] != "_"}
    said = re.search(r"^Private: (.+)\.$", (room / "__init__.py").read_text(), re.MULTILINE)
    if said is None:
        return set()
    named = set(re.findall(r"``(\w+)``", said[1]))
    assert named <= modules, f"{room} has no {named - modules}"
    return modules - named if said[1].startswith("all but") else named


@pytest.mark.parametrize("file", USING, ids=short)
def test_other_packages_are_used_through_their_public_names(file: Path):
    package = file.relative_to(ROOT).parts[0]
    for module, name in imports(file):
        if module.partition(".")[0] in USERS[package] and module not in BESIDE:
            assert module in PUBLIC, f"{file} imports from {module}"
            assert name in PUBLIC[module], f"{file} imports {name} from {module}"


@pytest.mark.parametrize("room", ROOMS, ids=short)
def test_what_is_private_to_a_room_is_used_in_it_alone(room: Path):
    own = {f"{dotted(room)}.{module}" for module in private(room)}
    for file in PACKAGED:
        if room not in file.parents:
            for module, name in imports(file):
                reached = {module, f"{module}.{name}", module.rpartition(".")[0]}
                assert not reached & own, f"{file} imports {module}"


@pytest.mark.parametrize("room", ROOMS, ids=short)
def test_a_room_says_what_enters_what_leaves_and_what_it_may_import(room: Path):
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    assert re.search(r"^In: .+\. Out: ", said, re.MULTILINE)
    assert re.search(r"^May import: ", said, re.MULTILINE)


@pytest.mark.parametrize("file", SOURCES, ids=short)
def test_no_file_is_long(file: Path):
    assert len(file.read_text().splitlines()) <= LONGEST


def test_every_public_name_is_there():
    for package, names in PUBLIC.items():
        module = {"zoogen": zoogen, "zoobench": zoobench}[package]
        assert all(hasattr(module, name) for name in names)
