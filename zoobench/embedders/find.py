"""From what the user typed to an embedder: entry point, module, file or scikit-learn estimator."""

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
    """Return the embedders that have a name: entry points by name, with what they point at."""
    return {point.name: point.value for point in sorted(entry_points(group=GROUP))}


def find_embedder(reference: str, settings: Mapping[str, str] | None = None) -> Embedder:
    """Return the embedder a user means, its settings changed as asked for.

    Args:
        reference: An entry point, ``module``, ``module:attribute``, ``path/to/file.py`` or
            ``path/to/file.py:attribute``. It may lead to an embedder, to a class of embedders, or
            to an estimator or transformer class of scikit-learn.
        settings: Values by name, as typed on the command line.

    Raises:
        UnknownNameError: If nothing has that name.
        ZooError: If it cannot be imported, is no embedder, or has no such setting.
    """
    found = load_attribute(embedder_names().get(reference, reference))
    return with_settings(found, settings or {}, reference)


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
    """Import a module; the folder the command runs in counts too."""
    if "" not in sys.path:
        sys.path.append("")  # last: a folder called as an installed package must not hide it
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
    name = f"embedder_in_{path.stem}"  # no file, whatever it is called, may pose as a package
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
    """Say what an embedder's module needs."""
    return ZooError(f"{place} needs {error.name}, which is not installed; pip install it")


def with_settings(found: Any, settings: Mapping[str, str], reference: str) -> Embedder:
    """Make an embedder of what was found, with its settings changed."""
    if hasattr(found, "get_params"):
        return scikit_embedder(found, settings, reference)
    if isinstance(found, type):
        found = made(found, reference)
    if not all(callable(getattr(found, method, None)) for method in ("fit", "transform")):
        raise ZooError(
            f"{reference} is a {type(found).__name__} without fit and transform; "
            "see zoobench.Embedder for what an embedder needs"
        )
    name = getattr(found, "name", None)
    if not isinstance(name, str):
        raise ZooError(f"{reference} has no name; give the embedder a `name: str`")
    if not any(map(str.isalnum, name)):  # a folder is called by it
        raise ZooError(f"{reference} has the name {name!r}, expected letters or digits in it")
    if settings:
        known = setting_names(found)
        refuse_unknown(settings, known, found.name)
        hints = get_type_hints(type(found))
        typed = {key: typed_value(key, text, hints[key]) for key, text in settings.items()}
        found = replace(found, **typed)
    return found  # type: ignore[no-any-return]


def made(cls: type, reference: str) -> Any:
    """Make an embedder or an estimator with the settings it has by default.

    Raises:
        ZooError: If some of its arguments have no default.
    """
    try:
        signature(cls).bind()
    except (TypeError, ValueError) as error:
        raise ZooError(
            f"{reference}: {error}; name an object that is made already, as module:attribute"
        ) from error
    return cls()


def scikit_embedder(found: Any, settings: Mapping[str, str], reference: str) -> ScikitEmbedder:
    """Wrap an estimator or a transformer class of scikit-learn."""
    estimator = made(found, reference) if isinstance(found, type) else found
    refuse_unknown(settings, estimator.get_params(), reference)
    values = {key: literal(text) for key, text in settings.items()}
    return ScikitEmbedder(estimator.set_params(**values))


def setting_names(embedder: Embedder) -> list[str]:
    """Return the settings of an embedder: the fields it can be made with."""
    if not is_dataclass(embedder):
        return []
    return [field.name for field in fields(embedder) if field.init]


def refuse_unknown(settings: Mapping[str, str], known: Any, name: str) -> None:
    """Refuse a setting the embedder does not have."""
    for key in settings:
        if key not in known:
            raise UnknownNameError(f"setting of {name}", key, known)


def typed_value(key: str, text: str, hint: Any) -> Any:
    """Turn what was typed into what the field says it holds."""
    try:
        return TypeAdapter(hint).validate_python(literal(text))
    except ValidationError as error:
        expected = f"; expected {hint}" if get_origin(hint) is tuple else ""
        raise ZooError(f"{key}={text}: {error.errors()[0]['msg'].lower()}{expected}") from error


def literal(text: str) -> Any:
    """Read a Python literal; anything else is a string."""
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):
        return text
