"""Populations of trained networks, as data: build them, store them, load them."""

from .build.cluster import ray_cluster
from .build.zoo import build_zoo
from .errors import IntegrityError, UnknownNameError, ZooError
from .hub.fetch import Fetched, fetch_zoo
from .images.sets import ImageSet, load_images
from .importers.zoo import import_zoo
from .load.locate import is_at_hand, is_built
from .load.open import load_zoo
from .load.part import Part
from .load.zoo import Zoo
from .places import zoo_folder
from .plots.zoo import umap_picture
from .publish.zoo import Publication, publish_zoo
from .spec.architectures import CNN, MLP, Convolution
from .spec.axes import RandomSeeds, Range
from .spec.hidden_layer import HiddenLayer
from .spec.imported import AnySpec, ImportedSpec
from .spec.layout import Layout, Slot
from .spec.registry import ZOOS, find_spec, zoo_spec
from .spec.split import SPLITS, Split
from .spec.symmetry import permutation_index
from .spec.zoo_spec import ZooSpec
from .store.manifest import Manifest
from .store.table import model_table
from .store.weights import Weights

__all__ = [
    "CNN",
    "MLP",
    "SPLITS",
    "ZOOS",
    "AnySpec",
    "Convolution",
    "Fetched",
    "HiddenLayer",
    "ImageSet",
    "ImportedSpec",
    "IntegrityError",
    "Layout",
    "Manifest",
    "Part",
    "Publication",
    "RandomSeeds",
    "Range",
    "Slot",
    "Split",
    "UnknownNameError",
    "Weights",
    "Zoo",
    "ZooError",
    "ZooSpec",
    "build_zoo",
    "fetch_zoo",
    "find_spec",
    "import_zoo",
    "is_at_hand",
    "is_built",
    "load_images",
    "load_zoo",
    "model_table",
    "permutation_index",
    "publish_zoo",
    "ray_cluster",
    "umap_picture",
    "zoo_folder",
    "zoo_spec",
]
