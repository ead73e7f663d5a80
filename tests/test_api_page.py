"""The Python reference lists every public name as its docstring says."""

import doctest
import inspect
import re
from pathlib import Path

import pytest

import zoobench
import zoogen

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text()
PACKAGES = {"zoogen": zoogen, "zoobench": zoobench}
NAMES = [f"{package}.{name}" for package, module in PACKAGES.items() for name in module.__all__]
LISTED = dict(re.findall(r"^\| `(\w+\.\w+)(?:\(.*?\))?` \| (.+) \|$", PAGE, re.MULTILINE))


def named(name: str) -> object:
    package, _, own = name.partition(".")
    return getattr(PACKAGES[package], own)


def functions() -> list[str]:
    return [name for name in NAMES if inspect.isfunction(inspect.unwrap(named(name)))]


def test_the_page_lists_the_public_names_and_no_other():
    assert sorted(LISTED) == sorted(NAMES)


@pytest.mark.parametrize("name", functions())
def test_a_public_function_has_an_example(name: str):
    assert doctest.DocTestParser().get_examples(inspect.getdoc(named(name)) or "")


@pytest.mark.parametrize("name", functions())
def test_the_page_says_of_a_function_what_its_docstring_says(name: str):
    said = (inspect.getdoc(named(name)) or "").splitlines()[0].replace("``", "`")
    assert LISTED[name] == said
