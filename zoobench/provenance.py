"""Where a result comes from: code, commit, versions, machine."""

import inspect
import os
import platform
import subprocess
from dataclasses import fields, is_dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from zoobench.embed import Embedder
from zoobench.results import EmbedderStamp, ZooStamp
from zoogen import Zoo

PACKAGES = ("zoobench", "numpy", "scipy", "scikit-learn", "torch")


def embedder_stamp(embedder: Embedder, *, name: str, reference: str = "") -> EmbedderStamp:
    """Say which embedder this is, by name, settings, code and commit.

    Args:
        embedder: Fitted or not.
        name: What its results are called.
        reference: What the user typed to get it.
    """
    cls = class_of(embedder)
    home = code_home(cls)
    commit, dirty = commit_of(home)
    return EmbedderStamp(
        name=name,
        reference=reference,
        cls=f"{cls.__module__}.{cls.__qualname__}",
        settings=settings_of(embedder),
        code_sha256=code_sha256(home),
        commit=commit,
        dirty=dirty,
    )


def zoo_stamp(zoo: Zoo) -> ZooStamp:
    """Say which zoo this is, by the hash of its content and of its split."""
    manifest = zoo.manifest
    return ZooStamp(
        name=manifest.spec.name,
        version=manifest.spec.version,
        content_sha256=manifest.content_sha256,
        split_sha256=manifest.split_sha256,
        models_built=manifest.models_built,
        models_planned=manifest.models_planned,
    )


def settings_of(embedder: Embedder) -> dict[str, JsonValue]:
    """Return the settings of an embedder as JSON: dataclass fields, or scikit-learn's params."""
    if is_dataclass(embedder):
        names = (field.name for field in fields(embedder) if field.init)
        found = {name: getattr(embedder, name) for name in names}
    else:
        found = dict(getattr(embedder, "settings", {}))
    return {name: as_json(value) for name, value in found.items()}


def as_json(value: Any) -> JsonValue:
    """Keep what JSON knows, write the rest as Python would."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return repr(value)


def class_of(embedder: Embedder) -> type:
    """Return the class that does the work: scikit-learn's own where one is wrapped."""
    return type(getattr(embedder, "estimator", embedder))


def code_home(cls: type) -> Path:
    """Return the file a class is defined in, or the folder if that is part of a package."""
    file = Path(inspect.getfile(cls)).resolve()
    return file.parent if (file.parent / "__init__.py").exists() else file


def code_sha256(home: Path) -> str:
    """Hash the source an embedder is defined in: its file, or every file beside it."""
    files = sorted(home.glob("*.py")) if home.is_dir() else [home]
    digest = sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def commit_of(home: Path) -> tuple[str | None, bool]:
    """Return the commit the code is tracked at and whether it was changed since."""
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
    """Return the versions a score may depend on, the embedder's own package among them."""
    top = module.partition(".")[0]
    names = {*PACKAGES, *packages_distributions().get(top, [])}
    return {"python": platform.python_version()} | {name: found(name) for name in sorted(names)}


def found(package: str) -> str:
    """Return the version of a package, or that it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def machine() -> str:
    """Describe the machine in a line."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
