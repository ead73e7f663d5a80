"""Errors of the Hub in plain words, each with the way out."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zoogen.errors import ZooError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

AGAIN = "run the same command again: it continues where this one stopped"
LOG_IN = "hf auth login"
DISK_ERRORS = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EFBIG,
    errno.ENOSPC,
    errno.EPERM,
    errno.EROFS,
}


@contextmanager
def hub_errors(
    api: "HfApi", repository: str, *, forbidden: str = "use one that may"
) -> Iterator[None]:
    """Turn errors of the client and the network into a ``ZooError`` in plain words.

    Args:
        api: The client.
        repository: Repository named in the message.
        forbidden: Advice if the token lacks the rights.

    Raises:
        ZooError: For every error of the client or the network.
    """
    from huggingface_hub.errors import HfHubHTTPError

    transport_error: Any = HfHubHTTPError.__bases__[0]  # of httpx or httpx2, by version
    try:
        yield
    except (transport_error, OSError, RuntimeError, ValueError) as error:
        message = client_message(error, api.endpoint, forbidden)
        raise ZooError(f"{repository} on {api.endpoint}: {message}") from error


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, its cause, the cause of that, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def client_message(error: BaseException, endpoint: str, forbidden: str) -> str:
    """Explain an error of the client."""
    from huggingface_hub import errors

    meaning: dict[type[BaseException], str] = {
        errors.OfflineModeIsEnabled: "offline mode is on; unset HF_HUB_OFFLINE",
        errors.LocalTokenNotFoundError: f"it needs a token and you have none; run: {LOG_IN}",
        errors.RevisionNotFoundError: "it has no such revision; its page lists branches and tags",
        errors.GatedRepoError: (
            f"its owner grants access: ask on its page, then log in with: {LOG_IN}"
        ),
        errors.RepositoryNotFoundError: (
            "there is no such data set, or it is private and your token may not see it; check the "
            f"name, or log in with: {LOG_IN}"
        ),
    }
    for cause in causes(error):
        for kind, words in meaning.items():
            if isinstance(cause, kind):
                return words
        if isinstance(cause, errors.HfHubHTTPError):
            said = cause.server_message or ""
            return status_message(cause.response.status_code, said, forbidden)
    return local_message(list(causes(error))[-1], endpoint)


def local_message(error: BaseException, endpoint: str) -> str:
    """Explain an error on this machine or its network."""
    if isinstance(error, ValueError):
        return f"the client refused the request: {error}"
    if is_disk_error(error):
        return f"the download cannot be written here ({error}); make room, then {AGAIN}"
    return f"no connection ({error}); check that {endpoint} can be reached, then {AGAIN}"


def is_disk_error(error: BaseException) -> bool:
    """Tell whether this machine cannot write, by the errno of Python or of Rust."""
    told = re.search(r"\(os error (\d+)\)", str(error))
    number = int(told[1]) if told else getattr(error, "errno", None)
    return number in DISK_ERRORS


def status_message(status: int, message: str, forbidden: str) -> str:
    """Explain the status of a request that the Hub refused."""
    said = f" ({message})" if message else ""
    match status:
        case 401:
            return f"your token is missing or unknown there{said}; run: {LOG_IN}"
        case 403:
            return f"your token may not do this{said}; {forbidden}"
        case 409 | 412:
            return f"somebody else changed it in the meantime{said}; {AGAIN}"
        case 429:
            return f"too many requests{said}; wait a few minutes, then {AGAIN}"
    if status >= 500:
        return f"the Hub failed with status {status}{said}; wait, then {AGAIN}"
    return f"the Hub refused the request with status {status}{said}"
