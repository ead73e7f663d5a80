"""Tables of the paper, from small zoos."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baselines.paper.reproduce import reproduce_table, with_settings
from baselines.paper.reproduce_elsewhere import reproduce_ood
from baselines.paper.tables import TABLES, Claim, Row, plain
from baselines.paper.tables_elsewhere import OOD_TABLES
from zoobench.cli.commands import app
from zoobench.embedders.find import find_embedder
from zoobench.results.results import RECONSTRUCTION
from zoobench.task.tasks import RUNNING_GAP, tasks_of
from zoogen import Zoo, ZooError, zoo_spec


def test_a_table_holds_ours_the_interval_and_the_paper_for_every_task(
    hyp_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module in ("run", "reproduce"):
        monkeypatch.setattr(f"zoobench.{module}.load_zoo", lambda _: hyp_zoo)
    table = replace(
        TABLES["table5"],
        zoos=("tetris-hyp",),
        rows=plain("raw-weights", "random-projection"),
        claims=(),
    )
    text = reproduce_table(table, tmp_path)
    tasks = [*tasks_of(hyp_zoo.spec), RUNNING_GAP.id]
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|")]
    assert {len(row) for row in rows} == {2 + len(tasks)}
    kinds = [row[1].strip() for row in rows]
    probes = 2
    assert kinds.count("ours") == probes * 4
    assert kinds.count("95 %") == probes * 2
    assert kinds.count("paper") == probes  # of random projections it says nothing
    paper = next(row for row in rows if row[1].strip() == "paper")
    assert paper[2].strip() == "2.8"
    ours, running = (
        column for column, name in zip(paper, rows[0], strict=True) if name.strip().startswith("gg")
    )
    assert (ours.strip(), running.strip()) == ("–", "12.9")
    assert "zoobench reproduce table5" in text
    assert "numpy" in text
    assert text.count("**Partial zoo**: 144 of 3600 models (") == probes
    assert "epochs 2 for 75; stored epochs 1, 2 for 1 to 75" in text


def test_a_table_shows_the_tasks_of_the_paper_alone(
    hyp_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module in ("run", "reproduce"):
        monkeypatch.setattr(f"zoobench.{module}.load_zoo", lambda _: hyp_zoo)
    table = replace(
        TABLES["table4"],
        zoos=("tetris-hyp",),
        rows=plain("raw-weights"),
        tasks=("act", "acc"),
        claims=(),
    )
    text = reproduce_table(table, tmp_path)
    assert text.count("| embedder | | acc | act |") == 2


def test_every_table_names_embedders_zoos_columns_and_rows_that_exist():
    for name, table in TABLES.items():
        assert table.name == name
        for zoo in table.zoos:
            assert zoo_spec(zoo).name == zoo
            assert set(table.tasks) <= set(tasks_of(zoo_spec(zoo))) | {"init"}
        for row in table.rows:
            find_embedder(row.embedder, row.settings)
        assert len(table.by_title) == len(table.rows)
        for claim in table.claims:
            for zoo in claim.zoos or table.zoos:
                assert zoo in table.zoos
                assert set(claim.columns) <= {RECONSTRUCTION, *tasks_of(zoo_spec(zoo))}
            assert {title for pair in claim.pairs for title in pair} <= set(table.by_title)


def test_settings_for_a_table_reach_the_rows_that_are_trained_and_no_other():
    rows = with_settings(TABLES["table12"].rows, {"epochs": "3", "beta": "0.9"})
    assert all(row.settings["epochs"] == "3" for row in rows)
    assert {row.title: row for row in rows}["ED c=3"].settings["beta"] == "1"
    mixed = {
        row.title: row.settings for row in with_settings(TABLES["table5"].rows, {"epochs": "3"})
    }
    assert mixed["raw-weights"] == {}
    assert mixed["self-supervised"] == {"epochs": "3"}


@pytest.mark.parametrize(
    ("setting", "told"),
    [({"epoch": "3"}, "closest: epochs"), ({"beta": "1.5"}, r"beta=1\.5: expected 0 to 1")],
)
def test_a_wrong_setting_is_told_before_any_zoo_is_looked_at(
    setting: dict[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    looked_at: list[str] = []
    for module in ("reproduce", "reproduce_ood"):
        monkeypatch.setattr(f"zoobench.{module}.is_at_hand", looked_at.append)
    for redo, table in (
        (reproduce_table, TABLES["table5"]),
        (reproduce_table, TABLES["table13"]),
        (reproduce_ood, OOD_TABLES["fig14"]),
    ):
        with pytest.raises(ZooError, match=told):
            redo(table, tmp_path, setting)  # type: ignore[operator]
    assert looked_at == []


@pytest.mark.parametrize("table", ["table13", "fig14"])
def test_a_page_stays_when_none_of_its_zoos_is_built(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ZOOGEN_CACHE", str(tmp_path / "nothing"))
    page = tmp_path / "page.md"
    page.write_text("made elsewhere", encoding="utf-8")
    command = ["reproduce", table, "--out", str(tmp_path / "results"), "--write", str(page)]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, ZooError)
    assert "none of the zoos of this table is built here" in str(done.exception)
    assert "zoogen build mnist-seed" in str(done.exception)
    assert page.read_text(encoding="utf-8") == "made elsewhere"


def test_a_row_that_is_refused_leaves_the_others_and_its_reason(
    hyp_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module in ("run", "reproduce"):
        monkeypatch.setattr(f"zoobench.{module}.load_zoo", lambda _: hyp_zoo)
    (tmp_path / "broken.py").write_text(
        "import numpy as np\n"
        "class Broken:\n"
        "    name = 'broken'\n"
        "    def fit(self, train, validation, *, seed): return self\n"
        "    def transform(self, weights): return np.ones((len(weights), 2))\n"
        "embedder = Broken()\n",
        encoding="utf-8",
    )
    rows = (*plain("raw-weights"), Row("broken", str(tmp_path / "broken.py")))
    claim = Claim("Weights beat nothing.", (("raw-weights", "broken"),))
    table = replace(TABLES["table5"], zoos=("tetris-hyp",), rows=rows, claims=(claim,))
    text = reproduce_table(table, tmp_path, {"epochs": "3"})
    assert "Made by `zoobench reproduce table5 --set epochs=3`" in text
    assert "| raw-weights | ours |" in text
    assert text.count("Not scored: broken: broken embeds every snapshot alike") == 2
    assert claim.text not in text


def test_a_task_that_no_probe_can_learn_leaves_the_others_and_its_reason(
    hyp_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    alike = replace(hyp_zoo)
    alike.properties["activation"] = "tanh"
    for module in ("run", "reproduce"):
        monkeypatch.setattr(f"zoobench.{module}.load_zoo", lambda _: alike)
    table = replace(TABLES["table5"], zoos=("tetris-hyp",), rows=plain("raw-weights"), claims=())
    text = reproduce_table(table, tmp_path)
    assert "Not scored: task act: the train split knows tanh only, nothing to tell apart" in text
    assert "| init |" in text
    assert "| act |" not in text
