"""Where a result comes from: code, commit, versions, machine."""

import inspect
import os
import platform
import subprocess
from dataclasses import fields, is_dataclass
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from zoobench.embedders.alone import alone
from zoobench.embedders.embed import Embedder
from zoobench.embedders.scikit import ScikitEmbedder
from zoobench.results.stamps import EmbedderStamp, ZooStamp
from zoobench.task.pair import ZooPair
from zoogen import ZOOS, Zoo, ZooError, is_built, load_zoo, zoo_folder

PACKAGES = ("zoobench", "numpy", "scipy", "scikit-learn", "torch", "umap-learn", "pynndescent")


def embedder_stamp(embedder: Embedder, *, name: str = "", reference: str = "") -> EmbedderStamp:
    """Stamp an embedder: name, settings, code and commit.

    Name and settings may be properties of the embedder, so their code runs on its own stack.

    Args:
        embedder: Embedder, fitted or not.
        name: Name of its results; by default its own name.
        reference: Text the user typed to name it.
    """
    return alone(partial(read_stamp, embedder, name, reference))


def read_stamp(embedder: Embedder, name: str, reference: str) -> EmbedderStamp:
    """Read the stamp off an embedder."""
    cls = class_of(embedder)
    home = code_home(cls)
    commit, dirty = commit_of(home)
    return EmbedderStamp(
        name=name or embedder.name,
        reference=reference,
        cls=f"{cls.__module__}.{cls.__qualname__}",
        settings=settings_of(embedder),
        code_sha256=code_sha256(home),
        commit=commit,
        dirty=dirty,
    )


def zoo_stamp(zoo: Zoo) -> ZooStamp:
    """Stamp a zoo: name, version, and hashes of its content and its split.

    Raises:
        ZooError: If only part of the zoo is loaded: the hash covers all of it.
    """
    manifest = zoo.manifest
    if zoo.chosen is not None:
        raise ZooError(
            f"{manifest.spec.name} is loaded in part ({len(zoo.weights)} snapshots); scores "
            "compare on whole zoos only: load it without split, models and where"
        )
    return ZooStamp(
        name=manifest.spec.name,
        version=manifest.spec.version,
        content_sha256=manifest.content_sha256,
        split_sha256=manifest.split_sha256,
        models_built=manifest.models_built,
        models_planned=manifest.models_planned,
    )


def pair_at_hand(trained_on: ZooStamp, tested_on: ZooStamp) -> ZooPair | None:
    """Return the pair of registered zoos with these stamps, if both are built here."""
    ours, theirs = zoo_at_hand(trained_on), zoo_at_hand(tested_on)
    return ZooPair(ours, theirs) if ours is not None and theirs is not None else None


def zoo_at_hand(stamp: ZooStamp) -> Zoo | None:
    """Return the registered zoo with this stamp, if it is built here."""
    if stamp.name not in ZOOS or not is_built(zoo_folder(stamp.name)):
        return None
    zoo = load_zoo(stamp.name)
    return zoo if zoo_stamp(zoo) == stamp else None


def settings_of(embedder: Embedder) -> dict[str, JsonValue]:
    """Return the settings of an embedder as JSON; they tell two embedders of a class apart.

    Settings are the fields of a dataclass, the parameters of a scikit-learn estimator, or else all
    attributes of the unfitted embedder.
    """
    if isinstance(embedder, ScikitEmbedder):
        found = embedder.settings
    elif is_dataclass(embedder):
        names = (field.name for field in fields(embedder) if field.init)
        found = {name: getattr(embedder, name) for name in names}
    else:
        found = dict(vars(embedder))
    return {name: as_json(value) for name, value in found.items()}


def as_json(value: Any) -> Any:
    """Convert a value to JSON; replace any other object by its type and a hash of its content."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    content = value.tobytes() if hasattr(value, "tobytes") else repr(value).encode()
    return f"{type(value).__qualname__} {sha256(content).hexdigest()[:16]}"


def class_of(embedder: Embedder) -> type:
    """Return the class of an embedder, or of the estimator it wraps."""
    return type(embedder.estimator if isinstance(embedder, ScikitEmbedder) else embedder)


def code_home(cls: type) -> Path:
    """Return the file that defines a class, or its folder if the file is in a package.

    Raises:
        ZooError: If no file defines the class, for example in a notebook.
    """
    try:
        file = Path(inspect.getfile(cls)).resolve()
    except (OSError, TypeError) as error:
        raise ZooError(
            f"{cls.__qualname__} is not defined in a file; save it to one to evaluate it"
        ) from error
    return file.parent if (file.parent / "__init__.py").exists() else file


def code_sha256(home: Path) -> str:
    """Hash the source of an embedder: its file, or every file of its package."""
    files = sorted(home.rglob("*.py")) if home.is_dir() else [home]
    digest = sha256()
    for file in files:
        digest.update(str(file.relative_to(home.parent)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def commit_of(home: Path) -> tuple[str | None, bool]:
    """Return the commit of some code, None if untracked, and whether it has changed since."""
    folder = home if home.is_dir() else home.parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    if not git("ls-files", str(home)):
        return None, False
    return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", str(home)))


@cache
def package_versions(module: str) -> dict[str, str]:
    """Return the versions that a score may depend on, with that of the embedder's package."""
    top = module.partition(".")[0]
    names = {*PACKAGES, *packages_distributions().get(top, [])}
    packages = {name: installed_version(name) for name in sorted(names)}
    return {"python": platform.python_version()} | packages


def installed_version(package: str) -> str:
    """Return the version of a package, or ``not installed``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def machine() -> str:
    """Describe the machine in one line."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
