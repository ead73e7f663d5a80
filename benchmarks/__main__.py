"""Measure every claim: ``python -m benchmarks [NAME …] [--write FILE]``."""

import argparse
import importlib
import platform
import sys
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from pkgutil import iter_modules

import benchmarks
from benchmarks.ratio import Ratio

NOT_CLAIMS = {
    "__main__",
    "direct_autoencoder",
    "every_core",
    "image_steps",
    "ratio",
    "whole_build",
}


def claims() -> list[str]:
    """List the modules that measure a claim."""
    names = (module.name for module in iter_modules(benchmarks.__path__))
    return sorted(name for name in names if name not in NOT_CLAIMS)


def section(name: str, claim: str, ratios: list[Ratio]) -> str:
    """Return the Markdown section of one benchmark."""
    lines = [
        f"## {name.replace('_', ' ')}\n",
        f"{claim}\n",
        "| measured | ours | peer | ratio | required |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.name} | {one.ours:.3g} {one.unit} | {one.peer:.3g} {one.unit} | {one.ratio:.1f} "
        f"| {'' if one.required is None else f'{one.required:g}'} |"
        for one in ratios
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmarks, print each result, and fail if one misses its required ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(claims())}")
    parser.add_argument("--write", type=Path, help="also write the report to this file")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(claims())
    if unknown:
        parser.error(
            f"no benchmark called {', '.join(sorted(unknown))}; choose from {', '.join(claims())}"
        )
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "numba", "numpy"))
    head = (
        "# Speed, as ratios\n\n"
        f"Made by `make bench` on {platform.system()} {platform.machine()}, {cpu_count()} cores, "
        f"{packages}. Each ratio is the peer's cost over ours, both measured in the same run. If "
        "the peer is a budget, its cost is the budget.\n"
    )
    sections, short = [head], []
    for name in chosen.names or claims():
        module = importlib.import_module(f"benchmarks.{name}")
        ratios = module.measure()
        sections.append(section(name, module.CLAIM, ratios))
        print(sections[-1], flush=True)
        short += [one.name for one in ratios if one.required and one.ratio < one.required]
    if chosen.write:
        chosen.write.write_text("\n".join(sections), encoding="utf-8")
    if short:
        sys.exit(f"below the required ratio: {'; '.join(short)}")


if __name__ == "__main__":
    main()
