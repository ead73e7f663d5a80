"""Specs are values: they accept only valid fields and name the invalid ones."""

from dataclasses import FrozenInstanceError, asdict, replace
from math import inf, nan
from typing import Any

import pytest
from pydantic import ValidationError

from zoogen import MLP, ZooSpec, zoo_spec
from zoogen.spec.axes import Range
from zoogen.spec.zoo_spec import AXES, SPEC


def changed(spec: ZooSpec, fields: dict[str, Any]) -> ZooSpec:
    return replace(spec, **fields)


def test_the_models_are_the_product_of_all_axes(mixed_spec: ZooSpec):
    assert mixed_spec.models == 4 * 2 * 2 * 1 * 2 * 2 * 3


def test_varied_names_the_axes_with_several_values(mixed_spec: ZooSpec):
    assert mixed_spec.varied == (
        "activation",
        "initialiser",
        "optimiser",
        "weight_decay",
        "dropout",
    )
    assert zoo_spec("tetris-seed").varied == ()


def test_a_spec_can_be_written_to_json_and_read_back(mixed_spec: ZooSpec):
    assert SPEC.validate_json(SPEC.dump_json(mixed_spec)) == mixed_spec


def test_a_spec_cannot_be_changed(mixed_spec: ZooSpec):
    with pytest.raises(FrozenInstanceError):
        mixed_spec.epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize("axis", [*AXES, "seeds"])
def test_an_empty_axis_is_refused(mixed_spec: ZooSpec, axis: str):
    with pytest.raises(ValidationError, match=axis):
        changed(mixed_spec, {axis: ()})


@pytest.mark.parametrize("axis", [*AXES, "seeds"])
def test_a_value_listed_twice_is_refused_by_name(mixed_spec: ZooSpec, axis: str):
    first = getattr(mixed_spec, axis)[0]
    with pytest.raises(ValidationError, match=f"{axis} lists {first} more than once"):
        changed(mixed_spec, {axis: (first, first)})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Upper/../case"),
        ("version", 0),
        ("activation", ("swish",)),
        ("initialiser", ("zeros",)),
        ("optimiser", ("lion",)),
        ("learning_rate", (0.0,)),
        ("learning_rate", (inf,)),
        ("learning_rate", (nan,)),
        ("weight_decay", (-1e-3,)),
        ("weight_decay", (inf,)),
        ("dropout", (1.0,)),
        ("momentum", 1.0),
        ("seeds", (-1,)),
        ("seeds", (2**63,)),
        ("epochs", 0),
        ("batch_size", 0),
        ("models_per_shard", 0),
        ("group", "seed"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(mixed_spec: ZooSpec, field: str, value: Any):
    with pytest.raises(ValidationError, match=field):
        changed(mixed_spec, {field: value})


def test_a_range_needs_a_number_of_random_points(mixed_spec: ZooSpec):
    rates = Range(1e-4, 1e-2, "log")
    with pytest.raises(ValidationError, match=r"learning_rate is a range: .* random_points"):
        changed(mixed_spec, {"learning_rate": rates})
    assert changed(mixed_spec, {"learning_rate": rates, "random_points": 7}).models == 7 * 3


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        ("learning_rate", Range(-1.0, 1.0)),
        ("learning_rate", Range(0.0, 1.0)),
        ("weight_decay", Range(-1e-3, 1.0)),
        ("dropout", Range(0.0, 1.0)),
        ("init_std", Range(-1.0, 1.0)),
    ],
)
def test_a_range_out_of_bounds_is_refused_by_name(mixed_spec: ZooSpec, axis: str, values: Range):
    with pytest.raises(ValidationError, match=f"{axis} from"):
        changed(mixed_spec, {axis: values, "random_points": 7})


@pytest.mark.parametrize("epochs", [(1, 1), (2, 1), (0, 3)])
def test_snapshots_out_of_order_or_past_the_end_are_refused(
    mixed_spec: ZooSpec, epochs: tuple[int, ...]
):
    with pytest.raises(ValidationError, match="increasing numbers from 0 to 2"):
        changed(mixed_spec, {"snapshot_epochs": epochs})


@pytest.mark.parametrize(
    ("epochs", "stored"),
    [(20, (0, 1, 2, 3, 20)), (10, (0, 1, 2, 3, 10)), (100, (0, 1, 2, 3, 20, 40, 60, 80, 86, 100))],
)
def test_training_of_another_length_stores_the_epochs_before_its_end_and_the_end(
    epochs: int, stored: tuple[int, ...]
):
    assert zoo_spec("mnist-hyp").with_epochs(epochs).stored_epochs == stored
    every = zoo_spec("mnist-seed").with_epochs(epochs)
    assert every.stored_epochs == tuple(range(1, epochs + 1))


def test_all_epochs_but_the_start_are_stored_by_default(mixed_spec: ZooSpec):
    assert mixed_spec.stored_epochs == (1, 2)
    assert changed(mixed_spec, {"snapshot_epochs": (0, 2)}).stored_epochs == (0, 2)


def test_an_unknown_field_is_refused(mixed_spec: ZooSpec):
    with pytest.raises(ValidationError, match="warmup"):
        SPEC.validate_python(asdict(mixed_spec) | {"warmup": 3})


def test_a_network_has_an_input_and_an_output():
    with pytest.raises(ValidationError, match="widths"):
        MLP(widths=(16,))
    with pytest.raises(ValidationError, match="widths"):
        MLP(widths=(16, 0, 4))


@pytest.mark.parametrize("bias", [False, True])
def test_a_layout_has_the_tensors_of_every_layer_in_forward_order(bias: bool):
    layout = MLP(widths=(16, 7, 5, 3), bias=bias).layout
    weights = {"fc1.weight": (7, 16), "fc2.weight": (5, 7), "fc3.weight": (3, 5)}
    assert {name: layout.shapes[name] for name in weights} == weights
    assert layout.params == 16 * 7 + 7 * 5 + 5 * 3 + (7 + 5 + 3 if bias else 0)
    per_layer = ["weight", "bias"] if bias else ["weight"]
    assert list(layout.shapes) == [f"fc{i}.{kind}" for i in (1, 2, 3) for kind in per_layer]
