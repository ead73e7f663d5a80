"""A contract over the registry: what holds for every zoo that has a name."""

from collections import Counter

import pytest

from zoogen import SPLITS, ZOOS, ZooSpec
from zoogen.configs import model_configs
from zoogen.images import IMAGES, load_images
from zoogen.load import BUILT_ON_DEMAND
from zoogen.spec import AXES, SPEC
from zoogen.split import model_groups, model_splits

every_zoo = pytest.mark.parametrize("spec", ZOOS.values(), ids=lambda spec: spec.name)

MODELS = {"tetris-seed": 1000, "tetris-hyp": 3600}
GROUPS = {"tetris-seed": 1000, "tetris-hyp": 600}


def test_every_zoo_stands_under_its_own_name():
    assert all(name == spec.name for name, spec in ZOOS.items())


@every_zoo
def test_it_says_where_it_is_from_and_how_it_may_be_used(spec: ZooSpec):
    assert spec.source.strip()
    assert spec.licence.strip()
    assert spec.version >= 1


@every_zoo
def test_it_survives_json(spec: ZooSpec):
    assert SPEC.validate_json(SPEC.dump_json(spec)) == spec


@every_zoo
def test_it_has_as_many_models_as_were_announced(spec: ZooSpec):
    configs = model_configs(spec)
    assert len(configs) == spec.models == MODELS[spec.name]
    points = {tuple(getattr(config, axis) for axis in (*AXES, "seed")) for config in configs}
    assert len(points) == len(configs)


@every_zoo
def test_its_groups_are_as_large_as_were_announced(spec: ZooSpec):
    sizes = Counter(model_groups(spec, model_configs(spec)))
    assert len(sizes) == GROUPS[spec.name]
    assert set(sizes.values()) == {spec.models // GROUPS[spec.name]}


@every_zoo
def test_its_splits_are_70_15_15(spec: ZooSpec):
    counts = Counter(model_splits(spec, model_configs(spec)))
    assert [counts[split] / spec.models for split in SPLITS] == pytest.approx([0.70, 0.15, 0.15])


@every_zoo
def test_its_network_fits_its_images(spec: ZooSpec):
    assert spec.images in IMAGES
    images = load_images(spec.images)
    assert images.train_images[0].size == images.test_images[0].size == spec.network.widths[0]
    assert images.classes == spec.network.classes
    assert set(images.train_labels) == set(images.test_labels) == set(range(images.classes))


@every_zoo
def test_its_layout_covers_its_weights(spec: ZooSpec):
    layout = spec.network.layout
    assert sum(slot.size for slot in layout) == layout.params
    assert [slot.start for slot in layout][1:] == [slot.start + slot.size for slot in layout][:-1]


def test_only_registered_zoos_are_built_on_demand():
    assert set(BUILT_ON_DEMAND) <= set(ZOOS)
