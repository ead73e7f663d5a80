"""Four ways to name an embedder, its settings, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from zoobench.embedders.find import embedder_names, find_embedder
from zoobench.embedders.provenance import settings_of
from zoogen import UnknownNameError, ZooError

NORMS = """
from dataclasses import dataclass
from typing import ClassVar, Literal
import numpy as np

@dataclass
class Norms:
    power: float = 2.0
    axes: tuple[int, ...] = (1,)
    mode: Literal["sum", "mean"] = "sum"
    name: ClassVar[str] = "norms"

    def fit(self, train, validation, *, seed):
        return self

    def transform(self, weights):
        return np.linalg.norm(np.asarray(weights), self.power, axis=1)[:, None]

embedder = Norms()
other = Norms(power=1.0)
plain = 3
nameless = type("Nameless", (), {"fit": Norms.fit, "transform": Norms.transform})
above = type("Above", (nameless,), {"name": ".."})
called_nothing = type("CalledNothing", (nameless,), {"name": ""})
simple = type("Simple", (nameless,), {"name": "simple"})
class Needs(Norms):
    def __init__(self, data):
        self.data = data
"""


@pytest.fixture
def norms(tmp_path: Path) -> Path:
    path = tmp_path / "norms_of_layers.py"
    path.write_text(NORMS)
    return path


@pytest.mark.parametrize("name", embedder_names())
def test_every_registered_name_leads_to_an_embedder_of_that_name(name: str):
    assert find_embedder(name).name == name


def test_a_file_leads_to_its_embedder(norms: Path):
    assert find_embedder(str(norms)).name == "norms"


def test_a_file_leads_to_the_named_attribute(norms: Path):
    assert settings_of(find_embedder(f"{norms}:other"))["power"] == 1.0


def test_a_class_is_made_into_an_embedder(norms: Path):
    assert settings_of(find_embedder(f"{norms}:Norms"))["power"] == 2.0


def test_a_module_in_the_working_directory_is_found(norms: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(norms.parent)
    assert find_embedder("norms_of_layers").name == "norms"
    assert settings_of(find_embedder("norms_of_layers:other"))["power"] == 1.0


def test_a_scikit_learn_class_is_adapted_with_its_settings():
    embedder = find_embedder("sklearn.decomposition:PCA", {"n_components": "7"})
    assert isinstance(embedder.estimator, PCA)
    assert settings_of(embedder)["n_components"] == 7


def test_settings_take_the_type_of_their_field(norms: Path):
    embedder = find_embedder(str(norms), {"power": "3", "axes": "(1, 2)", "mode": "mean"})
    assert settings_of(embedder) == {"power": 3.0, "axes": [1, 2], "mode": "mean"}


def test_a_setting_changes_a_copy(norms: Path):
    find_embedder(str(norms), {"power": "3"})
    assert settings_of(find_embedder(str(norms)))["power"] == 2.0


@pytest.mark.parametrize(
    ("reference", "settings", "message"),
    [
        ("pca-linaer", {}, "pca-linear"),
        ("nowhere.to.be_found", {}, "no embedder called"),
        ("nowhere.py", {}, "nowhere.py is not a file"),
        ("{norms}:missing", {}, "has no 'missing'"),
        ("{norms}:plain", {}, "without fit and transform"),
        ("{norms}:nameless", {}, "has no name"),
        ("{norms}:above", {}, "'..', expected a letter or digit"),
        ("{norms}:called_nothing", {}, "'', expected a letter or digit"),
        ("{norms}:Needs", {}, "missing a required argument: 'data'"),
        ("sklearn.compose:ColumnTransformer", {}, "missing a required argument: 'transformers'"),
        ("{norms}:simple", {"power": "2"}, "called 'power'; none exist"),
        ("{norms}", {"powr": "2"}, "closest: power"),
        ("{norms}", {"power": "two"}, "power=two"),
        ("{norms}", {"mode": "max"}, "mode=max"),
        ("sklearn.decomposition:PCA", {"components": "2"}, "n_components"),
    ],
)
def test_an_unusable_embedder_or_setting_is_named_with_the_way_out(
    norms: Path, reference: str, settings: dict[str, str], message: str
):
    with pytest.raises(ZooError, match=message):
        find_embedder(reference.format(norms=norms), settings)


def test_an_unknown_embedder_is_told_from_one_whose_import_fails(tmp_path: Path):
    (path := tmp_path / "needs.py").write_text("import a_package_nobody_has\n")
    with pytest.raises(ZooError, match="a_package_nobody_has") as caught:
        find_embedder(str(path))
    assert not isinstance(caught.value, UnknownNameError)


def test_the_adapter_gives_the_seed_to_the_estimator(seed_zoo):
    embedder = find_embedder("sklearn.random_projection:GaussianRandomProjection")
    embedder.estimator.set_params(n_components=4)
    weights = seed_zoo.train.weights
    first, again, other = (
        embedder.fit(weights, weights, seed=seed).transform(weights) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
