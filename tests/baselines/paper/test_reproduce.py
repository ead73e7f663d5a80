"""Tables of the paper, reproduced with small zoos."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baselines.paper.reproduce import reproduce_table, with_settings
from baselines.paper.reproduce_elsewhere import reproduce_elsewhere
from baselines.paper.table_types import Claim, Row
from baselines.paper.tables import TABLES, plain
from baselines.paper.tables_elsewhere import TABLES_ELSEWHERE
from tests.baselines.paper.conftest import Use
from zoobench.cli.commands import app
from zoobench.embedders.find import find_embedder
from zoobench.results.record import RECONSTRUCTION
from zoobench.task.tasks import RUNNING_GAP, tasks_of
from zoogen import Zoo, ZooError, zoo_spec


def test_a_table_has_our_score_its_interval_and_the_papers_score_for_every_task(
    hyp_zoo: Zoo, tmp_path: Path, use: Use
):
    use(hyp_zoo)
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
    assert kinds.count("paper") == probes  # it has no random projection
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


def test_a_table_has_only_the_tasks_of_the_paper(hyp_zoo: Zoo, tmp_path: Path, use: Use):
    use(hyp_zoo)
    table = replace(
        TABLES["table4"],
        zoos=("tetris-hyp",),
        rows=plain("raw-weights"),
        tasks=("act", "acc"),
        claims=(),
    )
    text = reproduce_table(table, tmp_path)
    assert text.count("| embedder | | acc | act |") == 2


def test_the_embedders_zoos_columns_and_rows_of_every_table_exist():
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


def test_settings_for_a_table_change_only_the_self_supervised_rows():
    rows = with_settings(TABLES["table12"].rows, {"epochs": "3", "beta": "0.9"})
    assert all(row.settings["epochs"] == "3" for row in rows)
    assert {row.title: row for row in rows}["ED c=3"].settings["beta"] == "1"
    mixed = {
        row.title: row.settings for row in with_settings(TABLES["table5"].rows, {"epochs": "3"})
    }
    assert mixed["raw-weights"] == {}
    assert mixed["self-supervised"] == {"epochs": "3"}


@pytest.mark.parametrize(
    ("setting", "message"),
    [({"epoch": "3"}, "closest: epochs"), ({"beta": "1.5"}, r"beta=1\.5: expected 0 to 1")],
)
def test_an_invalid_setting_is_reported_before_any_zoo_is_looked_up(
    setting: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    looked_up: list[str] = []
    for module in ("reproduce", "reproduce_elsewhere"):
        monkeypatch.setattr(f"baselines.paper.{module}.is_at_hand", looked_up.append)
    for reproduce, table in (
        (reproduce_table, TABLES["table5"]),
        (reproduce_table, TABLES["table13"]),
        (reproduce_elsewhere, TABLES_ELSEWHERE["fig14"]),
    ):
        with pytest.raises(ZooError, match=message):
            reproduce(table, tmp_path, setting)  # type: ignore[operator]
    assert looked_up == []


@pytest.mark.parametrize("table", ["table13", "fig14"])
def test_a_page_is_kept_when_none_of_its_zoos_is_built(
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


def test_a_refused_row_leaves_the_other_rows_and_its_reason(hyp_zoo: Zoo, tmp_path: Path, use: Use):
    use(hyp_zoo)
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


def test_a_task_that_cannot_be_learned_leaves_the_other_tasks_and_its_reason(
    hyp_zoo: Zoo, tmp_path: Path, use: Use
):
    alike = replace(hyp_zoo)
    alike.properties["activation"] = "tanh"
    use(alike)
    table = replace(TABLES["table5"], zoos=("tetris-hyp",), rows=plain("raw-weights"), claims=())
    text = reproduce_table(table, tmp_path)
    assert "Not scored: task act: the train split has only tanh, expected two or more" in text
    assert "| init |" in text
    assert "| act |" not in text
