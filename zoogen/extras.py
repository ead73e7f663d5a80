"""Packages that only an extra installs."""

import warnings
from importlib import import_module
from types import ModuleType

from zoogen.errors import ZooError

EXTRA_OF = {
    "datasets": "hub",
    "huggingface_hub": "hub",
    "matplotlib": "plots,umap",
    "mlcroissant": "hub",
    "ray": "cluster",
    "umap": "umap",
}


def extra_package(package: str, what: str) -> ModuleType:
    """Import one of the packages in ``EXTRA_OF``.

    Args:
        package: Import name of the package.
        what: Feature that needs the package, for the message.

    Raises:
        ZooError: If the package is not installed; the message has the install command.
    """
    try:
        with warnings.catch_warnings():  # UMAP wants TensorFlow for a feature that is unused here
            warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
            return import_module(package)
    except ImportError as error:
        raise ZooError(
            f"{what} needs the package {package}; run: pip install 'zoobench[{EXTRA_OF[package]}]'"
        ) from error
