"""The command ``zoobench`` as a user calls it."""

import re
import subprocess
import sys
from inspect import cleandoc
from pathlib import Path

import pytest
from typer import rich_utils
from typer.models import CommandInfo
from typer.testing import CliRunner

from zoobench.cli.commands import app
from zoobench.cli.options import complete_embedder, complete_probe, complete_zoo
from zoobench.results.files import read_result
from zoogen import Zoo


def named(command: CommandInfo) -> str:
    return command.name or command.callback.__name__


COMMANDS = [named(command) for command in app.registered_commands]


def zoobench(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "zoobench", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [(), *((command,) for command in COMMANDS)])
def test_help_is_complete_and_fits_the_screen(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rich_utils, "MAX_WIDTH", 80)
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.output
    assert max(map(len, shown.output.splitlines())) <= 80
    assert not re.search(r"\w…", shown.output), "a word is cut off"
    if not command:
        assert all(name in shown.output for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_text_of_a_command_fits_the_lines_of_a_screen(command: str):
    (told,) = (one.callback.__doc__ for one in app.registered_commands if named(one) == command)
    first, *lines = cleandoc(told).splitlines()
    assert first.endswith(".")
    assert max(map(len, lines), default=0) <= 78, "a screen of 80 breaks it and keeps the break"


def test_an_evaluation_prints_every_task_beside_its_references(hyp_zoo: Zoo, tmp_path: Path):
    arguments = ("raw-weights", "--zoo", str(hyp_zoo.folder))
    done = zoobench("evaluate", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for word in (
        "eph",
        "f1_c3",
        "init",
        "chance",
        "hyper-",
        "params",
        "over",
        "paper",
        "interval",
    ):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    kept = {str(path.parent.relative_to(tmp_path)) for path in tmp_path.rglob("result.json")}
    assert kept == {
        "results/raw-weights/tetris-hyp/standard",
        "results/weight-statistics/tetris-hyp/standard",
        "results/chance/tetris-hyp/reference",
        "results/hyper-parameters/tetris-hyp/reference",
    }
    statistics = read_result(tmp_path / "results/weight-statistics/tetris-hyp/standard")
    assert statistics.embedder.reference == "weight-statistics"
    again = zoobench("evaluate", *arguments, folder=tmp_path)
    assert again.stdout == done.stdout
    shown = zoobench("show", "raw-weights", folder=tmp_path)
    assert done.stdout.endswith("kept in results/raw-weights/tetris-hyp/standard\n")
    # The zoo in that folder is not a registered one, so there are no labels for differences.
    assert "over" not in shown.stdout
    assert done.stdout.splitlines()[0] == shown.stdout.splitlines()[0]


def test_a_setting_makes_a_result_of_its_own(seed_zoo: Zoo, tmp_path: Path):
    options = ("--zoo", str(seed_zoo.folder), "--task", "eph", "--no-references")
    for setting in ((), ("--set", "dim=3")):
        done = zoobench("evaluate", "pca-linear", *setting, *options, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "results").iterdir()} == {
        "pca-linear",
        "pca-linear,dim=3",
    }


def test_a_partial_zoo_is_called_partial(seed_zoo: Zoo, tmp_path: Path):
    options = ("--zoo", str(seed_zoo.folder), "--task", "eph", "--no-references")
    done = zoobench("evaluate", "raw-weights", *options, folder=tmp_path)
    assert "partial zoo: 60 of 1000 models" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("evaluate", "raw-weigths"), 1, "closest: raw-weights"),
        (("evaluate", "raw-weights", "--zoo", "tetris-sed"), 1, "closest: tetris-seed"),
        (("evaluate", "raw-weights", "--zoo", "{zoo}", "--task", "ac"), 1, "closest: acc"),
        (("evaluate", "raw-weights", "--zoo", "{zoo}", "--probe", "pap"), 1, "closest: paper"),
        (("evaluate", "pca-linear", "--zoo", "{zoo}", "--set", "dims=3"), 1, "closest: dim"),
        (("evaluate", "pca-linear", "--zoo", "{zoo}", "--set", "dim"), 2, "KEY=VALUE"),
        (("evaluate", "pca-linear", "--zoo", "{zoo}", "--seeds", "0"), 2, "--seeds"),
        (("evaluate", "constant.py", "--zoo", "{zoo}"), 1, "every snapshot alike"),
        (
            (
                "evaluate",
                "sklearn.decomposition:PCA",
                "--zoo",
                "{zoo}",
                "--set",
                "n_components=500",
            ),
            1,
            "pca cannot be fitted: n_components=500",
        ),
        (("show",), 1, "zoobench evaluate"),
        (("show", "nothing"), 1, "no results of nothing"),
        (("check", "raw-weigths"), 1, "closest: raw-weights"),
        (("check", "raw-weights", "--network", "rnn"), 1, "kind of network"),
        (("audit", "tetris-sed"), 1, "closest: tetris-seed"),
        (("reproduce", "table55"), 1, "closest: table5"),
        (("tasks", "tetris-sed"), 1, "closest: tetris-seed"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_without_a_traceback(
    seed_zoo: Zoo, tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
):
    (tmp_path / "constant.py").write_text(
        "import numpy as np\n"
        "class Constant:\n"
        "    name = 'constant'\n"
        "    def fit(self, train, validation, *, seed): return self\n"
        "    def transform(self, weights): return np.zeros((len(weights), 2))\n"
        "embedder = Constant()\n"
    )
    filled = [argument.format(zoo=seed_zoo.folder) for argument in arguments]
    done = zoobench(*filled, folder=tmp_path)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_folder_that_cannot_be_written_is_named(seed_zoo: Zoo, tmp_path: Path):
    (tmp_path / "taken").write_text("a file")
    options = ("--zoo", str(seed_zoo.folder), "--task", "eph", "--out", "taken")
    done = zoobench("evaluate", "raw-weights", *options, folder=tmp_path)
    assert done.returncode == 1
    assert "cannot write taken" in done.stderr


def test_names_are_completed():
    assert complete_zoo("tetris-s") == ["tetris-seed"]
    assert complete_embedder("pca-c") == ["pca-cosine"]
    assert complete_probe("st") == ["standard"]


def test_the_command_line_starts_without_the_heavy_libraries():
    code = (
        "import sys, zoobench.cli.commands; "
        "print(sorted({'torch', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
