"""Populations of trained networks, as data: build them, store them, load them."""

from zoogen.architectures import CNN, MLP, Convolution
from zoogen.atomic import atomic_path, sha256_of, write_text
from zoogen.axes import RandomSeeds, Range
from zoogen.build import build_zoo
from zoogen.cluster import ray_cluster
from zoogen.console import INTERRUPTED, completed, run_command_line
from zoogen.device import check_device
from zoogen.errors import IntegrityError, UnknownNameError, ZooError
from zoogen.fetch import Fetched, fetch_zoo
from zoogen.figures import as_png, new_figure
from zoogen.folder import locked
from zoogen.imported import AnySpec, ImportedSpec
from zoogen.importers import import_zoo
from zoogen.layout import Layout, Slot
from zoogen.load import Part, Zoo, load_zoo
from zoogen.locate import is_at_hand, is_built
from zoogen.manifest import Manifest
from zoogen.places import user_cache, zoo_folder
from zoogen.plots import imported, umap_picture
from zoogen.progress import progress_bar
from zoogen.publish import Publication, publish_zoo
from zoogen.registry import ZOOS, find_spec, zoo_spec
from zoogen.shards import save_tensors
from zoogen.spec import ZooSpec
from zoogen.split import SPLITS, Split
from zoogen.symmetry import HiddenLayer, chained_layers, permutation_index
from zoogen.table import model_table
from zoogen.weights import Weights

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
    "fetch_zoo",
    "find_spec",
    "import_zoo",
    "imported",
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
