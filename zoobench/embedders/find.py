"""Find the embedder a user names: an entry point, module, file or scikit-learn estimator."""

import importlib
import importlib.util
import sys
from ast import literal_eval
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from importlib.metadata import entry_points
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from zoobench.embedders.embed import Embedder
from zoobench.embedders.scikit import ScikitEmbedder
from zoogen import UnknownNameError, ZooError

GROUP = "zoobench.embedders"
ATTRIBUTE = "embedder"


def embedder_names() -> dict[str, str]:
    """Return the registered embedders: the place of each entry point, by name."""
    return {point.name: point.value for point in sorted(entry_points(group=GROUP))}


def find_embedder(reference: str, settings: Mapping[str, str] | None = None) -> Embedder:
    """Return the embedder a user names, with the given settings.

    Args:
        reference: Entry point, ``module``, ``module:attribute``, ``path/to/file.py`` or
            ``path/to/file.py:attribute``. It may name an embedder, a class of embedders, or an
            estimator or transformer class of scikit-learn.
        settings: Values by name, as typed on the command line.

    Raises:
        UnknownNameError: If the embedder or a setting is unknown.
        ZooError: If the object cannot be imported, is not an embedder, or a value does not fit.

    Example:
        >>> import zoobench
        >>> zoobench.find_embedder("pca-linear", {"dim": "10"}).dim
        10
    """
    found = load_attribute(embedder_names().get(reference, reference))
    return as_embedder(found, settings, reference)


def load_attribute(reference: str) -> Any:
    """Import ``module[:attribute]`` or ``file.py[:attribute]``."""
    place, _, attribute = reference.partition(":")
    module = load_file(Path(place)) if place.endswith(".py") else load_module(place)
    try:
        return getattr(module, attribute or ATTRIBUTE)
    except AttributeError as error:
        raise ZooError(
            f"{place} has no {attribute or ATTRIBUTE!r}; name one with {place}:ATTRIBUTE"
        ) from error


def load_module(name: str) -> ModuleType:
    """Import a module, installed or in the current folder."""
    if "" not in sys.path:
        sys.path.append("")  # last, so that no folder hides an installed package
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise UnknownNameError("embedder", name, embedder_names()) from error
        raise missing_package(name, error) from error


def load_file(path: Path) -> ModuleType:
    """Run a Python file as a module of its own."""
    if not path.is_file():
        raise ZooError(f"{path} is not a file; expected path/to/embedder.py")
    name = f"embedder_in_{path.stem}"  # so that no file passes for a package
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ZooError(f"{path} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        raise missing_package(str(path), error) from error
    return module


def missing_package(place: str, error: ModuleNotFoundError) -> ZooError:
    """Return an error that names the package an embedder needs."""
    return ZooError(f"{place} needs {error.name}, which is not installed; pip install it")


def as_embedder(
    found: Any, settings: Mapping[str, str] | None = None, reference: str = ""
) -> Embedder:
    """Turn an object into an embedder with the given settings.

    Args:
        found: Embedder, class of embedders, or estimator or transformer class of scikit-learn.
        settings: Values by name, as typed on the command line.
        reference: Name used in messages; by default that of the object's type.

    Raises:
        UnknownNameError: If a setting is unknown.
        ZooError: If the object is not an embedder, or a value does not fit.
    """
    settings = settings or {}
    reference = reference or type(found).__name__
    if hasattr(found, "get_params"):
        return scikit_embedder(found, settings, reference)
    if isinstance(found, type):
        found = with_defaults(found, reference)
    if not all(callable(getattr(found, method, None)) for method in ("fit", "transform")):
        raise ZooError(
            f"{reference} is a {type(found).__name__} without fit and transform; "
            "see zoobench.Embedder for what an embedder needs"
        )
    name = getattr(found, "name", None)
    if not isinstance(name, str):
        raise ZooError(f"{reference} has no name; give the embedder a `name: str`")
    if not any(map(str.isalnum, name)):  # it names a folder
        raise ZooError(f"{reference} has the name {name!r}, expected a letter or digit in it")
    if settings:
        known = setting_names(found)
        refuse_unknown(settings, known, found.name)
        hints = get_type_hints(type(found))
        typed = {key: typed_value(key, text, hints[key]) for key, text in settings.items()}
        found = replace(found, **typed)
    return found  # type: ignore[no-any-return]


def with_defaults(cls: type, reference: str) -> Any:
    """Make an embedder or an estimator with its default settings.

    Raises:
        ZooError: If an argument has no default.
    """
    try:
        signature(cls).bind()
    except (TypeError, ValueError) as error:
        raise ZooError(
            f"{reference}: {error}; name an instance as module:attribute instead"
        ) from error
    return cls()


def scikit_embedder(found: Any, settings: Mapping[str, str], reference: str) -> ScikitEmbedder:
    """Wrap an estimator or a transformer class of scikit-learn."""
    estimator = with_defaults(found, reference) if isinstance(found, type) else found
    refuse_unknown(settings, estimator.get_params(), reference)
    values = {key: literal(text) for key, text in settings.items()}
    return ScikitEmbedder(estimator.set_params(**values))


def setting_names(embedder: Embedder) -> list[str]:
    """Name the settings of an embedder: the dataclass fields of its constructor."""
    if not is_dataclass(embedder):
        return []
    return [field.name for field in fields(embedder) if field.init]


def refuse_unknown(settings: Mapping[str, str], known: Any, name: str) -> None:
    """Refuse a setting the embedder does not have."""
    for key in settings:
        if key not in known:
            raise UnknownNameError(f"setting of {name}", key, known)


def typed_value(key: str, text: str, hint: Any) -> Any:
    """Convert typed text to the type of a field."""
    try:
        return TypeAdapter(hint).validate_python(literal(text))
    except ValidationError as error:
        expected = f"; expected {hint}" if get_origin(hint) is tuple else ""
        raise ZooError(f"{key}={text}: {error.errors()[0]['msg'].lower()}{expected}") from error


def literal(text: str) -> Any:
    """Parse a Python literal; return any other text as it is."""
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):
        return text
