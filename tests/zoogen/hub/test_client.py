"""The Hub of the tests answers the real client as the real one does."""

import io
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import disable_progress_bars

from tests.hub import READ, STRANGER, WRITE, Hub

REPO = "tester/zoo"
DATASET: dict[str, Any] = {"repo_id": REPO, "repo_type": "dataset"}
SHARD = "weights/00000.safetensors"

disable_progress_bars()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two small files and two large ones."""
    place = tmp_path / "zoo"
    (place / "weights").mkdir(parents=True)
    (place / "README.md").write_text("---\nlicense: mit\n---\n# zoo\n")
    (place / "zoo.json").write_text("{}\n")
    (place / "snapshots.parquet").write_bytes(bytes(range(256)) * 40)
    (place / SHARD).write_bytes(bytes(reversed(range(256))) * 1000)
    return place


@pytest.fixture
def api(hub: Hub) -> HfApi:
    return HfApi(endpoint=hub.url, token=WRITE)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".gitattributes"
    }


def download(hub: Hub, place: Path, token: str = WRITE, **options: Any) -> dict[str, bytes]:
    at = snapshot_download(
        **DATASET, endpoint=hub.url, token=token, cache_dir=place / "cache", **options
    )
    return contents(Path(at))


@pytest.mark.parametrize("part_bytes", [None, 100_000])
def test_what_is_uploaded_comes_back(
    hub: Hub, api: HfApi, folder: Path, tmp_path: Path, part_bytes: int | None
):
    hub.part_bytes = part_bytes
    api.create_repo(**DATASET, private=True)
    commit = api.upload_folder(**DATASET, folder_path=folder)
    assert download(hub, tmp_path) == contents(folder)
    assert download(hub, tmp_path, revision=commit.oid, token=READ) == contents(folder)
    assert len(hub.calls("PUT", "storage")) == (2 if part_bytes is None else 4)


def test_an_upload_of_what_is_there_transfers_nothing(hub: Hub, api: HfApi, folder: Path):
    api.create_repo(**DATASET)
    first = api.upload_folder(**DATASET, folder_path=folder)
    hub.requests.clear()
    assert api.upload_folder(**DATASET, folder_path=folder).oid == first.oid
    assert not hub.calls("PUT")
    assert not hub.calls("POST", "/commit/")


def test_a_tag_keeps_what_main_had(hub: Hub, api: HfApi, folder: Path, tmp_path: Path):
    api.create_repo(**DATASET)
    api.upload_folder(**DATASET, folder_path=folder)
    api.create_tag(**DATASET, tag="v1")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag(**DATASET, tag="v1")
    before = contents(folder)
    (folder / "zoo.json").write_text("[]")
    api.upload_folder(**DATASET, folder_path=folder)
    assert download(hub, tmp_path, revision="v1") == before
    assert download(hub, tmp_path) == contents(folder) != before
    listed = api.list_repo_refs(**DATASET)
    assert [tag.name for tag in listed.tags] == ["v1"]
    assert [branch.name for branch in listed.branches] == ["main"]


def test_a_pull_request_leaves_main_alone(hub: Hub, api: HfApi, folder: Path):
    api.create_repo(**DATASET)
    commit = api.upload_folder(**DATASET, folder_path=folder, create_pr=True)
    assert commit.pr_revision == "refs/pr/1"
    assert SHARD in api.list_repo_files(**DATASET, revision="refs/pr/1")
    assert SHARD not in api.list_repo_files(**DATASET)
    refs = api.list_repo_refs(**DATASET, include_pull_requests=True)
    assert refs.pull_requests is not None
    assert [pull.ref for pull in refs.pull_requests] == ["refs/pr/1"]
    (one,) = api.get_repo_discussions(**DATASET)
    assert (one.is_pull_request, one.git_reference) == (True, "refs/pr/1")


def test_a_long_list_comes_in_pages(hub: Hub, api: HfApi):
    hub.page = 7
    hub.create(REPO).put({f"many/{number:03d}.txt": b"x" for number in range(30)})
    assert len(api.list_repo_files(**DATASET)) == 31
    assert len(hub.calls("GET", "/tree/")) == 5  # the folder is an entry too


def test_a_file_is_read_in_parts(hub: Hub, folder: Path):
    hub.put_folder(folder, REPO, tag="v1")
    files = HfFileSystem(endpoint=hub.url, token=WRITE, skip_instance_cache=True)
    assert files.ls(f"datasets/{REPO}@v1/weights", detail=False) == [f"datasets/{REPO}@v1/{SHARD}"]
    with files.open(f"datasets/{REPO}@v1/{SHARD}", block_size=1000, cache_type="none") as file:
        file.seek(-10, io.SEEK_END)
        assert file.read(5) == (folder / SHARD).read_bytes()[-10:-5]
    (part,) = hub.calls("GET", SHARD)
    assert (part.status, part.sent) == (206, 5)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"filename": "none"}, EntryNotFoundError),
        ({"filename": "zoo.json", "revision": "none"}, RevisionNotFoundError),
        ({"filename": "zoo.json", "repo_id": "tester/none"}, RepositoryNotFoundError),
        ({"filename": "zoo.json", "token": STRANGER}, RepositoryNotFoundError),
        ({"filename": "zoo.json", "token": False}, RepositoryNotFoundError),
        ({"filename": "zoo.json", "token": "hf_none"}, HfHubHTTPError),
    ],
)
def test_missing_or_hidden_files_are_refused(
    hub: Hub, folder: Path, tmp_path: Path, options: dict[str, Any], error: type[Exception]
):
    hub.put_folder(folder, REPO, private=True)
    with pytest.raises(error):
        hf_hub_download(
            **{**DATASET, "token": WRITE, "endpoint": hub.url, "cache_dir": tmp_path, **options}
        )


def test_any_account_that_sees_a_repository_may_send_it_a_pull_request(hub: Hub, folder: Path):
    hub.create(REPO)
    api = HfApi(endpoint=hub.url, token=STRANGER)
    pull = api.create_pull_request(**DATASET, title="mine")
    api.upload_folder(**DATASET, folder_path=folder, revision=pull.git_reference)
    assert SHARD in hub.repository(REPO).contents("refs/pr/1")
    assert SHARD not in hub.repository(REPO).contents()


@pytest.mark.parametrize("token", [READ, STRANGER, "hf_none", False])
def test_only_accounts_with_rights_write(hub: Hub, folder: Path, token: str | bool):
    hub.create(REPO)
    api = HfApi(endpoint=hub.url, token=token)
    for write in (
        lambda: api.create_repo("tester/other", repo_type="dataset"),
        lambda: api.upload_folder(**DATASET, folder_path=folder),
        lambda: api.create_tag(**DATASET, tag="v1"),
        lambda: api.create_branch(**DATASET, branch="b"),
        *([] if token == STRANGER else [lambda: api.create_pull_request(**DATASET, title="t")]),
    ):
        with pytest.raises(HfHubHTTPError):
            write()
    repository = hub.repository(REPO)
    assert (len(repository.commits), repository.tags, repository.pulls) == (1, {}, [])
    assert not hub.objects
    assert list(hub.repositories) == [("datasets", REPO)]


@pytest.mark.parametrize("after", [0, 100, 70_000])
def test_a_cut_download_continues(
    hub: Hub, folder: Path, tmp_path: Path, waits: list[float], after: int
):
    hub.put_folder(folder, REPO)
    hub.cut(after, "GET", SHARD)
    assert download(hub, tmp_path) == contents(folder)
    assert len(hub.calls("GET", SHARD)) == 2


def test_a_cut_upload_is_sent_again(hub: Hub, api: HfApi, folder: Path, waits: list[float]):
    hub.create(REPO)
    hub.cut(1000, "PUT", "storage")
    api.upload_folder(**DATASET, folder_path=folder)
    assert hub.repository(REPO).contents()[SHARD] == (folder / SHARD).read_bytes()
    assert [one.status for one in hub.calls("PUT")].count(0) == 1


@pytest.mark.parametrize("status", [500, 429])
def test_the_client_retries_after_a_refusal(
    hub: Hub, api: HfApi, folder: Path, waits: list[float], status: int
):
    hub.create(REPO)
    hub.answer(status, "POST", "preupload", times=2, retry_after=7 if status == 429 else None)
    api.upload_folder(**DATASET, folder_path=folder)
    assert waits[:2] == ([8, 8] if status == 429 else [1, 2])
    assert [one.status for one in hub.calls("POST", "preupload")] == [status, status, 200]


def test_an_altered_file_is_served_under_the_old_hash(
    hub: Hub, api: HfApi, folder: Path, tmp_path: Path
):
    hub.put_folder(folder, REPO)
    (before,) = api.get_paths_info(**DATASET, paths=[SHARD])
    harmed = bytes(256_000)
    hub.repository(REPO).alter(SHARD, harmed)
    assert api.get_paths_info(**DATASET, paths=[SHARD]) == [before]
    assert download(hub, tmp_path)[SHARD] == harmed


def test_a_hub_that_is_down_comes_back(hub: Hub, api: HfApi):
    hub.create(REPO)
    assert api.repo_exists(**DATASET)
    hub.stop()
    with pytest.raises(Exception, match="refused"):
        api.repo_info(**DATASET)
    hub.start()
    assert api.repo_exists(**DATASET)
