"""Specs by name: registered ones and the user's own."""

import pickle
import sys
from importlib import invalidate_caches
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
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_message_for_an_unknown_zoo_lists_the_closest_names():
    with pytest.raises(UnknownNameError, match="no zoo called 'tetris-sed'; closest: tetris-seed"):
        zoo_spec("tetris-sed")


def test_the_message_for_a_name_unlike_any_other_lists_all_names():
    with pytest.raises(UnknownNameError, match="tetris-hyp, tetris-seed"):
        find_spec("q")


def test_an_unknown_name_error_survives_pickling():
    error = UnknownNameError("zoo", "tetris-sed", ["tetris-seed", "other"])
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_users_own_spec_is_found_in_the_current_folder(workplace: Path):
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
        ("./another_zoo.py:SPEC", "name a spec as module:attribute, without .py or a folder"),
    ],
)
def test_a_name_without_a_spec_is_refused(workplace: Path, name: str, complaint: str):
    (workplace / "another_zoo.py").write_text(OWN)
    with pytest.raises(ZooError, match=complaint) as raised:
        find_spec(name)
    assert name in str(raised.value)


WRONG = {
    "epochs=0": "ZooSpec: epochs: Input should be greater than 0, not 0",
    "activation=('tanh', 'swish')": "ZooSpec: activation[1]: Input should be 'tanh', 'relu', "
    "'sigmoid' or 'gelu', not 'swish'",
    "optimiser=('lion',)": "ZooSpec: optimiser[0]: Input should be 'adam', 'sgd' or 'rmsprop', "
    "not 'lion'",
    "learning_rate=()": "ZooSpec: learning_rate: Tuple should have at least 1 item after "
    "validation, not 0",
    "learning_rate=(0.0,)": "ZooSpec: learning_rate[0]: Input should be greater than 0, not 0.0",
    "learning_rate=Range(2, 1)": "Range: the range from 2.0 to 1.0 is empty",
    "snapshot_epochs=(3, 2)": "ZooSpec: snapshot_epochs 3, 2: expected increasing numbers from 0 "
    "to 75",
    "colour=3, epochs=-1": "ZooSpec: epochs: Input should be greater than 0, not -1; colour: "
    "Unexpected keyword argument, not 3",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_every_fault_of_a_spec_is_named_once_with_field_and_value(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
):
    monkeypatch.delitem(sys.modules, "wrong_zoo", raising=False)
    own = OWN.replace("seeds=(7,)", wrong).replace("import zoo", "import Range, zoo")
    (workplace / "wrong_zoo.py").write_text(own)
    invalidate_caches()
    with pytest.raises(ZooError) as raised:
        find_spec("wrong_zoo:SPEC")
    assert str(raised.value) == f"wrong_zoo:SPEC: {WRONG[wrong]}"


def test_the_missing_fields_of_a_spec_are_named(workplace: Path):
    (workplace / "bare_zoo.py").write_text("from zoogen import ZooSpec\nSPEC = ZooSpec(name='a')\n")
    with pytest.raises(ZooError, match=r"ZooSpec: version: Field required; images: Field requ"):
        find_spec("bare_zoo:SPEC")
