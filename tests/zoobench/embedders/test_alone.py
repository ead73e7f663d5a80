"""An embedder at work sees no frame of its caller and may not look for what it was not handed."""

import gc
import inspect
import signal
import sys
import threading
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from time import sleep

import pytest

from zoobench.embedders.alone import WATCHES, EmbedderError, alone, watched

SHOWN: ContextVar[str] = ContextVar("shown", default="")


def test_the_result_comes_back():
    assert alone(lambda: 3) == 3


def test_no_frame_leads_to_the_caller():
    secret = object()
    frames = alone(lambda: [each.frame.f_locals for each in inspect.stack()])
    assert not any(secret is value for names in frames for value in names.values())
    here = [each.frame.f_locals for each in inspect.stack()]
    assert any(secret is value for names in here for value in names.values())


def test_an_error_is_raised_in_the_callers_thread():
    def fails() -> None:
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        alone(fails)


def test_the_work_cannot_choose_the_exit_status():
    with pytest.raises(EmbedderError, match=r"end the program \(SystemExit\(0\)\)"):
        alone(lambda: sys.exit(0))


def test_the_context_of_the_caller_holds():
    token = SHOWN.set("a bar")
    assert alone(SHOWN.get) == "a bar"
    SHOWN.reset(token)


def test_an_interrupt_reaches_the_work():
    main = threading.main_thread().ident
    assert main is not None
    ended = []

    def works() -> None:
        try:
            signal.pthread_kill(main, signal.SIGINT)
            while True:
                sleep(0.001)
        except KeyboardInterrupt:
            ended.append("saved")
            raise

    with pytest.raises(KeyboardInterrupt):
        alone(works)
    assert ended == ["saved"]


@pytest.mark.parametrize("linked", [False, True])
def test_opening_a_file_of_a_zoo_is_an_error_even_if_the_embedder_hides_it(
    tmp_path: Path, linked: bool
):
    zoo = tmp_path / "zoo"
    zoo.mkdir()
    (zoo / "zoo.json").write_text("{}")
    (tmp_path / "link").symlink_to(zoo)
    path = (tmp_path / "link" if linked else zoo) / "zoo.json"

    def peep() -> None:
        with watched("peeps", [zoo]), suppress(EmbedderError):
            path.read_text()

    with pytest.raises(EmbedderError, match=r"peeps opened .*zoo\.json"):
        peep()
    assert path.read_text() == "{}"


def test_other_files_can_be_opened_and_folders_listed(tmp_path: Path):
    zoo = tmp_path / "zoo"
    zoo.mkdir()
    (zoo / "my_embedder.py").write_text("pass")
    (tmp_path / "zoo.json").write_text("of another folder")
    with watched("reads", [zoo]):
        assert (zoo / "my_embedder.py").read_text() == "pass"
        assert (tmp_path / "zoo.json").read_text() == "of another folder"
        assert [path.name for path in zoo.iterdir()] == ["my_embedder.py"]


def test_all_objects_cannot_be_listed_while_watched():
    with pytest.raises(EmbedderError, match=r"peeps called gc.get_objects"), watched("peeps", []):
        gc.get_objects()
    assert gc.get_objects()
    assert not WATCHES
