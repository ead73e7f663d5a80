"""Every fault of a submission is found without running its code, and named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from zoobench.board.validate import validate
from zoobench.checks.memory import peak_growth
from zoogen import IntegrityError, UnknownNameError, ZooError
from zoogen.atomic import sha256_of

Change = Callable[[dict[str, Any]], object]
ZOO = "submissions/projection/tetris-hyp"


def rewrite(board: Path, change: Change) -> None:
    path = board / ZOO / "result.json"
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


def set_to(*place: str | int, value: object) -> Change:
    def change(fields: Any) -> None:
        for step in place[:-1]:
            fields = fields[step]
        fields[place[-1]] = value

    return change


def swap(board: Path, task: str, table: pd.DataFrame) -> None:
    """Replace predictions and put their hash into the result."""
    path = board / ZOO / f"{task}.parquet"
    table.to_parquet(path, index=False)

    def name_it(fields: dict[str, Any]) -> None:
        (entry,) = (entry for entry in fields["tasks"] if entry["task"] == task)
        entry["predictions_sha256"] = sha256_of(path)

    rewrite(board, name_it)


def test_every_submission_of_the_board_is_valid(whole_board: Path):
    for name in ("chance", "projection", "statistics"):
        assert validate(whole_board, name).submission.name == name


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (set_to("tasks", 0, "scores", 0, value=0.999), r"tasks\.eph\.scores"),
        (set_to("tasks", 0, "interval", 0, value=0.5), r"tasks\.eph\.interval"),
        (set_to("tasks", 0, "scores", value=[0.5]), r"tasks\.eph\.scores"),
        (set_to("tasks", 0, "version", value=2), r"tasks\.eph\.version"),
        (set_to("tasks", 0, "task", value="epochs"), "'epochs' is not a task"),
        (set_to("tasks", 0, "target", value="test_accuracy"), r"tasks\.eph\.target"),
        (set_to("tasks", 0, "metric", value="accuracy"), r"tasks\.eph\.metric"),
        (set_to("tasks", 0, "rows", value=3), r"tasks\.eph\.rows"),
        (set_to("tasks", 0, "predictions_sha256", value="0" * 64), "predictions_sha256"),
        (set_to("tasks", 0, "surprise", value=1), "surprise"),
        (set_to("tasks", 0, "ceiling", value=0.9), r"tasks\.eph\.ceiling"),
        (lambda fields: fields["tasks"].pop(), "is missing"),
        (lambda fields: fields["tasks"].append(fields["tasks"][0]), "twice"),
        (set_to("benchmark", value="0.2"), "benchmark"),
        (set_to("probe", value="paper"), "probe"),
        (lambda fields: fields.update(tested_on=fields["zoo"]), "tested_on: .*within zoos"),
        (set_to("seeds", value=[1, 2]), "seeds"),
        (set_to("seeds", value=[]), "seeds"),
        (set_to("zoo", "content_sha256", value="0" * 64), r"zoo\.content_sha256"),
        (set_to("zoo", "split_sha256", value="0" * 64), r"zoo\.split_sha256"),
        (set_to("zoo", "version", value=7), r"zoo\.version"),
        (set_to("zoo", "name", value="mixed"), r"zoo\.name"),
        (set_to("zoo", "models_built", value=5), r"zoo\.models_built"),
        (set_to("embedder", "dirty", value=True), r"embedder\.dirty"),
        (set_to("embedder", "commit", value=None), r"embedder\.commit"),
        (set_to("embedder", "reference", value="/home/me/x.py"), r"embedder\.reference"),
        (set_to("embedder", "reference", value="../x.py"), r"embedder\.reference"),
        (set_to("embedder", "reference", value=""), r"embedder\.reference"),
        (set_to("embedder", "commit", value="the latest"), r"embedder\.commit"),
        (set_to("embedder", "settings", value={"a": [float("nan")]}), r"embedder\.settings\.a\.0"),
        (set_to("embedder", "settings", value={"a": float("inf")}), r"embedder\.settings\.a"),
        (set_to("embedder", "name", value="<b>best</b>"), r"embedder\.name.*markup"),
        (set_to("embedder", "settings", value={"a": ["<script>"]}), r"embedder\.settings\.a\.0"),
        (set_to("machine", value="fast\u202e"), "machine"),
        (set_to("versions", value={"<i>": "1"}), "versions"),
    ],
)
def test_a_changed_result_is_refused_and_the_field_named(board: Path, change: Change, field: str):
    rewrite(board, change)
    with pytest.raises(IntegrityError, match=field):
        validate(board, "projection")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: table.assign(model=table["model"] + 1), "model: other snapshots"),
        (lambda table: table.iloc[::-1], "other snapshots"),
        (lambda table: table.iloc[1:], "rows"),
        (lambda table: table.drop(columns="seed_1"), "columns"),
        (lambda table: table.assign(label=1), "columns"),
        (lambda table: table.assign(seed_0=float("nan")), "seed_0: .* finite"),
        (lambda table: table.assign(seed_0="a"), "seed_0: .* finite"),
        (lambda table: table.assign(seed_0=table["seed_0"] * 0.5), r"tasks\.eph\.scores"),
    ],
)
def test_predictions_that_do_not_give_the_scores_are_refused(
    board: Path, change: Callable[[pd.DataFrame], pd.DataFrame], reason: str
):
    swap(board, "eph", change(pd.read_parquet(board / ZOO / "eph.parquet")))
    with pytest.raises(IntegrityError, match=reason):
        validate(board, "projection")


@pytest.mark.parametrize("label", ["<img src=x>", "", "x" * 65, None])
def test_a_class_that_is_not_a_name_is_refused(board: Path, label: str | None):
    swap(board, "act", pd.read_parquet(board / ZOO / "act.parquet").assign(seed_0=label))
    with pytest.raises(IntegrityError, match="seed_0"):
        validate(board, "projection")


@pytest.mark.parametrize("name", ["result.json", "eph.parquet"])
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 900_000, b"1" * 20_000_000, b"\xff\xfe", b'{"schema_version": 1}'],
    ids=["empty", "cut", "deep", "huge", "not text", "bare"],
)
def test_a_malformed_or_huge_file_is_refused(board: Path, name: str, content: bytes):
    (board / ZOO / name).write_bytes(content)
    with pytest.raises(ZooError, match=name):
        validate(board, "projection")


def test_a_small_file_that_would_fill_the_memory_is_refused(board: Path):
    path = board / ZOO / "act.parquet"
    table = pd.read_parquet(path)
    table = table.assign(seed_0=pd.Categorical.from_codes([0] * len(table), ["tanh" * 2_500_000]))
    swap(board, "act", table)
    assert path.stat().st_size < 9_000_000 < len(table) * 10_000_000
    with peak_growth() as growth, pytest.raises(IntegrityError, match=r"seed_0: 'tanhtanh.*…$"):
        validate(board, "projection")
    assert growth.bytes < 300_000_000


def test_a_refused_file_is_quoted_as_one_short_printable_line(board: Path):
    rewrite(board, set_to("\x1b[31mred\nstatistics: valid" + "x" * 10_000, value=1))
    with pytest.raises(IntegrityError) as told:
        validate(board, "projection")
    assert str(told.value).isprintable()
    assert "\\x1b[31mred\\nstatistics: valid" in str(told.value)
    assert len(str(told.value)) < 1000


def test_a_reference_row_must_be_one_of_ours_under_its_own_name(board: Path):
    chance, path = "chance", board / "submissions/chance"
    for zoo in ("mixed", "tetris-hyp"):
        file = path / zoo / "result.json"
        file.write_text(file.read_text().replace('"name": "chance"', '"name": "hyper-parameters"'))
    with pytest.raises(IntegrityError, match=r"embedder\.name: 'hyper-parameters' is not"):
        validate(board, chance)


def test_a_broken_parquet_file_with_the_right_hash_is_refused(board: Path):
    path = board / ZOO / "eph.parquet"
    path.write_bytes(b"PAR1" + b"\0" * 100 + b"PAR1")
    rewrite(board, set_to("tasks", 0, "predictions_sha256", value=sha256_of(path)))
    with pytest.raises(IntegrityError, match="not a readable parquet file"):
        validate(board, "projection")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"projection"\n', '"../../etc"\n', "name"),
        ('name = "projection"', 'name = "statistics"', "name: 'statistics', expected 'projection'"),
        ('name = "projection"', 'name = "Projection"', "name"),
        ("An embedder", "<script>alert(1)</script> An embedder", "description: .*markup"),
        ("An embedder", "\\u202e An embedder", "description"),
        ("A. Tester", "<b>A. Tester</b>", r"authors\.0"),
        ("https://example.org/code", "javascript:alert(1)", "code"),
        ("https://example.org/code", "https://example.org/'onclick", "code"),
        ('"weights"', '"anything"', "track"),
        ('"Apache-2.0"', "7", "licence"),
        ('licence = "Apache-2.0"\n', "", "licence"),
        ('licence = "Apache-2.0"', 'licence = "Apache-2.0"\nstars = 5', "stars"),
        ('licence = "Apache-2.0"', "licence = 2026-01-01", "not TOML"),
        ("licence = ", "licence = = ", "not TOML"),
        ("An embedder", "x" * 30_000, "30"),
    ],
)
def test_a_wrong_submission_file_is_refused_and_the_field_named(
    board: Path, old: str, new: str, field: str
):
    path = board / "submissions/projection/submission.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(IntegrityError, match=field):
        validate(board, "projection")


def test_a_stray_file_and_a_link_are_refused(board: Path):
    folder = board / "submissions/projection"
    (folder / "tetris-hyp/run.py").write_text("print()")
    with pytest.raises(IntegrityError, match="not part"):
        validate(board, "projection")
    (folder / "tetris-hyp/run.py").unlink()
    (folder / "more").symlink_to(board)
    with pytest.raises(IntegrityError, match="more"):
        validate(board, "projection")


def test_an_unknown_zoo_or_submission_is_named(board: Path):
    (board / ZOO).rename(board / "submissions/projection/tetris-hyb")
    with pytest.raises(UnknownNameError, match="closest: tetris-hyp"):
        validate(board, "projection")
    with pytest.raises(UnknownNameError, match="closest: projection"):
        validate(board, "projektion")


def test_changed_labels_are_found(board: Path):
    path = board / "zoos/tetris-hyp/labels.parquet"
    pd.read_parquet(path).assign(epoch=1).to_parquet(path, index=False)
    with pytest.raises(IntegrityError, match="the board names"):
        validate(board, "projection")
