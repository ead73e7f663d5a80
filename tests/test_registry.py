"""Zoos by name: the registered ones and the user's own."""

import pickle
from pathlib import Path

import pytest

from zoogen import UnknownNameError, ZooError, find_spec, zoo_spec

OWN = """
from dataclasses import replace
from zoogen import zoo_spec

SPEC = replace(zoo_spec("tetris-seed"), name="own", seeds=(7,))
NUMBER = 7
"""


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run commands in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_unknown_zoo_is_answered_with_the_closest_names():
    with pytest.raises(UnknownNameError, match="no zoo called 'tetris-sed'; closest: tetris-seed"):
        zoo_spec("tetris-sed")


def test_a_name_unlike_any_other_is_answered_with_all_names():
    with pytest.raises(UnknownNameError, match="tetris-hyp, tetris-seed"):
        find_spec("q")


def test_an_unknown_name_crosses_from_a_worker_process_unchanged():
    error = UnknownNameError("zoo", "tetris-sed", ["tetris-seed", "other"])
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_spec_of_ones_own_is_found_in_the_working_folder(workplace: Path):
    (workplace / "own_zoo.py").write_text(OWN)
    spec = find_spec("own_zoo:SPEC")
    assert (spec.name, spec.models) == ("own", 1)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("no_such_module:SPEC", "No module named 'no_such_module'"),
        ("another_zoo:MISSING", "has no attribute 'MISSING'"),
        ("another_zoo:NUMBER", "is a int, expected a ZooSpec"),
        (":SPEC", "name a spec as module:attribute"),
    ],
)
def test_what_is_no_spec_is_refused_by_name(workplace: Path, name: str, complaint: str):
    (workplace / "another_zoo.py").write_text(OWN)
    with pytest.raises(ZooError, match=complaint) as raised:
        find_spec(name)
    assert name in str(raised.value)


def test_a_spec_out_of_range_is_refused_with_its_field(workplace: Path):
    (workplace / "wrong_zoo.py").write_text(OWN.replace("seeds=(7,)", "epochs=0"))
    with pytest.raises(ZooError, match="epochs"):
        find_spec("wrong_zoo:SPEC")
