"""Populations of trained networks, as data: build them, store them, load them."""

from .atomic import atomic_path, sha256_of, write_text
from .build.cluster import ray_cluster
from .build.zoo import build_zoo
from .console import INTERRUPTED, completed, run_command_line
from .errors import IntegrityError, UnknownNameError, ZooError
from .extras import extra_package
from .hub.fetch import Fetched, fetch_zoo
from .importers.zoo import import_zoo
from .load.locate import is_at_hand, is_built
from .load.zoo import Part, Zoo, load_zoo
from .places import user_cache, zoo_folder
from .plots.figures import as_png, new_figure
from .plots.zoo import umap_picture
from .progress import progress_bar
from .publish.zoo import Publication, publish_zoo
from .spec.architectures import CNN, MLP, Convolution
from .spec.axes import RandomSeeds, Range
from .spec.imported import AnySpec, ImportedSpec
from .spec.layout import Layout, Slot
from .spec.registry import ZOOS, find_spec, zoo_spec
from .spec.split import SPLITS, Split
from .spec.symmetry import HiddenLayer, chained_layers, permutation_index
from .spec.zoo_spec import ZooSpec
from .store.folder import locked
from .store.manifest import Manifest
from .store.shards import save_tensors
from .store.table import model_table
from .store.weights import Weights
from .train.device import check_device

__all__ = [
    "CNN",
    "INTERRUPTED",
    "MLP",
    "SPLITS",
    "ZOOS",
    "AnySpec",
    "Convolution",
    "Fetched",
    "HiddenLayer",
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
    "as_png",
    "atomic_path",
    "build_zoo",
    "chained_layers",
    "check_device",
    "completed",
    "extra_package",
    "fetch_zoo",
    "find_spec",
    "import_zoo",
    "is_at_hand",
    "is_built",
    "load_zoo",
    "locked",
    "model_table",
    "new_figure",
    "permutation_index",
    "progress_bar",
    "publish_zoo",
    "ray_cluster",
    "run_command_line",
    "save_tensors",
    "sha256_of",
    "umap_picture",
    "user_cache",
    "write_text",
    "zoo_folder",
    "zoo_spec",
]
