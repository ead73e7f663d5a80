"""What goes wrong with the Hub, in plain words, each with the way out."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zoogen.errors import ZooError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

AGAIN = "call the same command again: it goes on where this one stopped"
LOG_IN = "hf auth login"
OF_THE_DISK = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EFBIG,
    errno.ENOSPC,
    errno.EPERM,
    errno.EROFS,
}


@contextmanager
def hub_errors(
    api: "HfApi", repository: str, *, forbidden: str = "take one that may"
) -> Iterator[None]:
    """Say in plain words what went wrong with the Hub, and what to do.

    Args:
        api: The client.
        repository: Which is asked about.
        forbidden: What to do if the token may not do it.

    Raises:
        ZooError: For everything that the client or the network raises.
    """
    from huggingface_hub.errors import HfHubHTTPError

    of_the_transport: Any = HfHubHTTPError.__bases__[0]  # httpx or httpx2, as the version has it
    try:
        yield
    except (of_the_transport, OSError, RuntimeError, ValueError) as error:
        words = in_plain_words(error, api.endpoint, forbidden)
        raise ZooError(f"{repository} on {api.endpoint}: {words}") from error


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what caused it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def in_plain_words(error: BaseException, endpoint: str, forbidden: str) -> str:
    """Explain an error of the client."""
    from huggingface_hub import errors

    meaning: dict[type[BaseException], str] = {
        errors.OfflineModeIsEnabled: "offline; unset HF_HUB_OFFLINE to reach it",
        errors.LocalTokenNotFoundError: f"it asks for a token, and there is none; run: {LOG_IN}",
        errors.RevisionNotFoundError: "it has no such revision; its page lists branches and tags",
        errors.GatedRepoError: (
            f"its owner chooses who may have it: ask on its page, then log in with: {LOG_IN}"
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
            return status_in_words(cause.response.status_code, said, forbidden)
    return last_in_words(list(causes(error))[-1], endpoint)


def last_in_words(error: BaseException, endpoint: str) -> str:
    """Explain what the Hub has no part in."""
    if isinstance(error, ValueError):
        return f"the client refuses: {error}"
    if of_the_disk(error):
        return f"what it sends cannot be written here ({error}); make room, then {AGAIN}"
    return f"no connection ({error}); see that {endpoint} can be reached, then {AGAIN}"


def of_the_disk(error: BaseException) -> bool:
    """Tell whether it is this machine that has no room, in the words of Python or of Rust."""
    told = re.search(r"\(os error (\d+)\)", str(error))
    number = int(told[1]) if told else getattr(error, "errno", None)
    return number in OF_THE_DISK


def status_in_words(status: int, message: str, forbidden: str) -> str:
    """Explain a status that the Hub refused a request with."""
    said = f" ({message})" if message else ""
    match status:
        case 401:
            return f"it knows no token of yours, or not this one{said}; run: {LOG_IN}"
        case 403:
            return f"your token may not do this{said}; {forbidden}"
        case 409 | 412:
            return f"somebody else has written to it meanwhile{said}; {AGAIN}"
        case 429:
            return f"too many requests, it asks to wait{said}; wait some minutes, then {AGAIN}"
    if status >= 500:
        return f"it has trouble of its own, status {status}{said}; later, {AGAIN}"
    return f"it refuses with status {status}{said}"
