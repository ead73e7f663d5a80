"""Cards agree with the manifest and the table."""

import re
from dataclasses import replace

import numpy as np
import pytest

from zoogen import Zoo
from zoogen.store.card import CARD, built_facts, measured_columns, zoo_card
from zoogen.store.manifest import Failure


def table_rows(card: str) -> dict[str, list[str]]:
    """Return the cells of every table row, by the first cell."""
    rows = (line.strip("| ").split(" | ") for line in card.splitlines() if line.startswith("| "))
    return {first: others for first, *others in rows}


def test_the_card_in_the_folder_is_the_card_of_the_zoo(mixed_zoo: Zoo):
    written = (mixed_zoo.folder / CARD).read_text(encoding="utf-8")
    assert written == zoo_card(mixed_zoo.manifest, mixed_zoo.properties)


def test_every_fact_is_on_the_card(mixed_zoo: Zoo):
    rows = table_rows((mixed_zoo.folder / CARD).read_text())
    for name, value in built_facts(mixed_zoo.manifest).items():
        assert rows[name] == [value]
    assert rows["models"] == ["192 of 192, 0 failed"]
    assert rows["seeds"] == ["1, 2, 3"]
    assert (rows["momentum"], rows["initial bias"]) == (["0.9 (sgd)"], ["0.01"])


def test_settings_that_no_model_uses_are_not_on_the_card(hyp_zoo: Zoo):
    rows = table_rows((hyp_zoo.folder / CARD).read_text())
    assert not {"momentum", "initial bias"} & set(rows)


def test_everything_measured_is_on_the_card_with_its_range(mixed_zoo: Zoo):
    rows = table_rows((mixed_zoo.folder / CARD).read_text())
    measured = measured_columns(mixed_zoo.properties)
    assert measured == [
        "train_loss",
        "train_accuracy",
        "running_train_accuracy",
        "test_loss",
        "test_accuracy",
        "generalisation_gap",
        *(f"f1_class_{label}" for label in range(4)),
    ]
    for name in measured:
        values = mixed_zoo.properties[name]
        found = [float(number) for number in rows[name]]
        assert found == pytest.approx([values.min(), values.median(), values.max()], abs=5.1e-4)


def test_failed_models_are_not_counted_as_trained(mixed_zoo: Zoo):
    failure = Failure(model=3, epoch=1, reason="weights not finite")
    card = zoo_card(replace(mixed_zoo.manifest, failures=(failure,)), mixed_zoo.properties)
    assert "191 trained networks" in card
    assert "192 of 192, 1 failed" in card


def test_the_card_says_how_splits_are_made(mixed_zoo: Zoo, hyp_zoo: Zoo):
    assert "70/15/15 by model; models share starting points" in zoo_card(
        mixed_zoo.manifest, mixed_zoo.properties
    )
    hyp = zoo_card(hyp_zoo.manifest, hyp_zoo.properties)
    assert "70/15/15 by starting weights." in hyp


def test_the_card_says_that_splits_share_snapshots_at_epoch_0(cnn_zoo: Zoo, mixed_zoo: Zoo):
    shared = "snapshots at epoch 0 are equal in train and test"
    assert shared in zoo_card(cnn_zoo.manifest, cnn_zoo.properties)
    assert shared not in zoo_card(mixed_zoo.manifest, mixed_zoo.properties)
    starts = cnn_zoo.properties.query("epoch == 0 and initialiser == 'orthogonal'")
    assert len(np.unique(cnn_zoo.weights[starts.index.to_numpy()], axis=0)) == 1 < len(starts)


def test_the_code_on_the_card_runs(hyp_zoo: Zoo):
    (code,) = re.findall(r"```python\n(.*?)```", (hyp_zoo.folder / CARD).read_text(), re.DOTALL)
    scope: dict[str, object] = {}
    exec(code.replace('"tetris-hyp"', repr(str(hyp_zoo.folder))), scope)
    zoo = scope["zoo"]
    assert isinstance(zoo, Zoo)
    assert zoo.manifest == hyp_zoo.manifest
