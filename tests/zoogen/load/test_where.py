"""Parts of a zoo that meet a condition, and the images that its networks saw."""

import numpy as np
import pytest

from zoogen import Zoo, ZooError, load_zoo


def test_the_snapshots_are_those_for_which_the_condition_holds(mixed_zoo: Zoo):
    chosen = mixed_zoo.where("activation == 'relu' and epoch > 1")
    rows = mixed_zoo.properties
    holds = np.flatnonzero((rows["activation"] == "relu") & (rows["epoch"] > 1))
    assert len(holds)
    assert np.array_equal(chosen.weights, mixed_zoo.weights[holds])
    assert chosen.properties.equals(rows.iloc[holds].reset_index(drop=True))


def test_conditions_follow_one_another(mixed_zoo: Zoo):
    in_two = mixed_zoo.where("dropout > 0").where("split == 'test'")
    at_once = mixed_zoo.where("dropout > 0 and split == 'test'")
    assert in_two.properties.equals(at_once.properties)
    assert np.array_equal(in_two.weights, at_once.weights)


def test_a_condition_searches_only_the_loaded_part(mixed_zoo: Zoo):
    few = load_zoo(mixed_zoo.folder, models=5).where("epoch == 2")
    assert few.properties["model"].tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(few.weights, mixed_zoo.where("epoch == 2 and model < 5").weights)


@pytest.mark.parametrize(
    "query",
    ["nonsense > 3", "epoch", "epoch >", "", "epoch + 1", "__import__('os').getcwd()", "@np > 2"],
)
def test_a_query_that_is_not_a_condition_is_refused_with_the_columns(mixed_zoo: Zoo, query: str):
    with pytest.raises(ZooError, match=r"cannot be used to select snapshots: .*activation"):
        mixed_zoo.where(query)


def test_the_images_are_those_the_networks_were_measured_on(mixed_zoo: Zoo):
    images = mixed_zoo.images
    assert (len(images.train_images), len(images.test_images)) == (40, 60)
