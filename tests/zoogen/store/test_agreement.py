"""Consistency of the manifest, which no hash protects, with its spec and its table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.subprocesses import run_zoogen
from tests.zoogen.store.test_manifest import edit
from zoogen import IntegrityError, Zoo, load_zoo
from zoogen.store.agreement import check_agreement


@pytest.mark.parametrize("name", ["seed_zoo", "hyp_zoo", "mixed_zoo", "cnn_zoo"])
def test_the_manifest_of_a_built_zoo_is_consistent(name: str, request: pytest.FixtureRequest):
    zoo: Zoo = request.getfixturevalue(name)
    check_agreement(zoo.folder, zoo.manifest, zoo.properties)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("models_built", lambda fields: fields.update(models_built=191)),
        ("models_planned", lambda fields: fields.update(models_planned=193)),
        ("models_built", lambda fields: fields["failures"].append(FAILURE)),
        ("models_planned", lambda fields: fields["spec"].update(seeds=[1, 2])),
        ("spec.epochs", lambda fields: fields["spec"].update(epochs=3)),
        ("split_sha256", lambda fields: fields.update(split_sha256="0" * 64)),
        ("split_sha256", lambda fields: fields["spec"].update(version=2)),
        ("shared_starts", lambda fields: fields.update(shared_starts=False)),
    ],
)
def test_an_altered_manifest_is_refused_by_the_field(
    copied_zoo: Path, field: str, change: Callable[[dict[str, Any]], Any]
):
    edit(copied_zoo, change)
    zoo = load_zoo(copied_zoo)
    with pytest.raises(IntegrityError, match=rf"zoo\.json: {field} is .*altered.*--overwrite"):
        check_agreement(copied_zoo, zoo.manifest, zoo.properties)


FAILURE = {"model": 3, "epoch": 1, "reason": "weights not finite"}


def test_verify_reports_an_altered_manifest(copied_zoo: Path):
    edit(copied_zoo, lambda fields: fields.update(models_built=191))
    done = run_zoogen("verify", copied_zoo)
    assert done.returncode == 1
    assert "models_built is 191, spec and table give 192" in done.stderr
