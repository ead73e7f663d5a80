"""All examples in README and docs run, on full-size zoos, in the order shown."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import WRITE, Hub
from tests.zoogen.importers.small_cnn_files import small_cnn_files
from zoogen import Zoo

ROOT = Path(__file__).parents[1]
PAGES = (
    ROOT / "README.md",
    ROOT / "leaderboard" / "RULES.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SAVED_AS = re.compile(r"^Saved as `(\w+\.(?:py|toml))`", re.MULTILINE)
SCRIPTS = Path(sys.executable).parent
EXAMPLES = """\
import doctest
import importlib
import sys
import warnings

warnings.filterwarnings("ignore", "Use 'content", DeprecationWarning)  # huggingface_hub to httpx2
if __name__ == "__main__":
    package = importlib.import_module(sys.argv[1])
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    later = {"fetch_zoo"}  # needs the example that publishes
    for name in sorted(package.__all__, key=lambda name: (name in later, name)):
        for example in finder.find(getattr(package, name), name, module=False, globs={}):
            runner.run(example)
    sys.exit(runner.summarize().failed)
"""
"""Script that runs the examples of all public names of a package in one folder."""


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment with our commands on the path, and one cache and one Hub for all pages."""
    cache = tmp_path_factory.mktemp("zoos")
    with Hub() as hub:
        yield environment(cache) | {
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": WRITE,
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",  # would leave this machine
        }


def environment(cache: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
        "ZOOGEN_CACHE": str(cache),
        "ZOOBENCH_CACHE": str(cache / "embeddings"),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # Ray stays on 127.0.0.1
        "RAY_AUTH_MODE": "disabled",
    }


def run(command: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_runs(page: Path, tmp_path: Path, shell: dict[str, str]):
    text = page.read_text()
    for block in BLOCK.finditer(text):
        language, code = block.groups()
        saved = SAVED_AS.match(text[block.end() :].lstrip())
        if language == "python":
            name = saved[1] if saved else "example.py"
            (tmp_path / name).write_text(code)
            run(f"python -W error {name}", tmp_path, shell)
        if language == "toml" and saved:
            (tmp_path / saved[1]).write_text(code)
        if language == "sh":
            for line in code.splitlines():
                if line.startswith("make "):
                    check_targets(line)
                elif not line.startswith("zoobench reproduce"):
                    run(line, tmp_path, shell)


@pytest.mark.parametrize("package", ["zoogen", "zoobench"])
def test_every_example_in_a_docstring_runs(
    package: str, tmp_path: Path, cnn_zoo: Zoo, shell: dict[str, str]
):
    run("zoogen build tetris-seed && zoogen build tetris-hyp", tmp_path, shell)
    small_cnn_files(cnn_zoo, tmp_path / "mnist")
    (tmp_path / "examples.py").write_text(EXAMPLES)
    run(f"python -W error examples.py {package}", tmp_path, shell)


def check_targets(line: str) -> None:
    """Check that the targets of ``make`` exist; running them would run this test again."""
    done = subprocess.run(
        [*line.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_make_demo_is_the_two_commands_that_the_readme_shows():
    done = subprocess.run(
        ["make", "--no-print-directory", "demo", "--dry-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    shown = (ROOT / "README.md").read_text()
    for line in done.stdout.splitlines()[-2:]:
        assert line.removeprefix(".venv/bin/") in shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
