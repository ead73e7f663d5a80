"""Populations of trained networks, as data: build them, store them, load them."""

from .architectures import CNN, MLP, Convolution
from .atomic import atomic_path, sha256_of, write_text
from .axes import RandomSeeds, Range
from .build import build_zoo
from .cluster import ray_cluster
from .console import INTERRUPTED, completed, run_command_line
from .device import check_device
from .errors import IntegrityError, UnknownNameError, ZooError
from .extras import extra_package
from .fetch import Fetched, fetch_zoo
from .figures import as_png, new_figure
from .folder import locked
from .imported import AnySpec, ImportedSpec
from .importers import import_zoo
from .layout import Layout, Slot
from .load import Part, Zoo, load_zoo
from .locate import is_at_hand, is_built
from .manifest import Manifest
from .places import user_cache, zoo_folder
from .plots import umap_picture
from .progress import progress_bar
from .publish import Publication, publish_zoo
from .registry import ZOOS, find_spec, zoo_spec
from .shards import save_tensors
from .spec import ZooSpec
from .split import SPLITS, Split
from .symmetry import HiddenLayer, chained_layers, permutation_index
from .table import model_table
from .weights import Weights

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
