"""The endpoints of the Hub and their paths."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from tests.hub import repositories, trees, uploads, xet
from tests.hub.call import Call, Reply

KIND = "(?P<kind>models|datasets|spaces)"
REPO = "(?P<repo>[^/]+/[^/]+)"
API = f"/api/{KIND}/{REPO}"
PAGE = f"/(?:(?P<kind>datasets|spaces)/)?{REPO}"
REVISION = "(?P<revision>[^/]+)"
OID = "(?P<oid>[0-9a-f]{64})"

Endpoint = Callable[[Call], Reply]

ROUTES: list[tuple[set[str], re.Pattern[str], Endpoint]] = [
    (set(methods.split()), re.compile(path), endpoint)
    for methods, path, endpoint in [
        ("GET", "/api/whoami-v2", repositories.whoami),
        ("POST", "/api/validate-yaml", uploads.validate_yaml),
        ("POST", "/api/repos/create", repositories.create),
        ("DELETE", "/api/repos/delete", repositories.delete),
        ("GET", f"{API}/auth-check", repositories.may_read),
        ("POST", f"{API}/preupload/{REVISION}", uploads.preupload),
        ("POST", f"{API}/commit/{REVISION}", uploads.commit),
        ("GET", f"{API}/tree/{REVISION}(?:/(?P<path>.+))?", trees.tree),
        ("POST", f"{API}/paths-info/{REVISION}", trees.paths_info),
        ("GET", f"{API}/xet-(?P<access>read|write)-token/{REVISION}", xet.token),
        ("GET", f"{API}/refs", repositories.refs),
        ("GET", f"{API}/commits/{REVISION}", repositories.history),
        ("POST", f"{API}/branch/(?P<name>[^/]+)", repositories.create_branch),
        ("POST", f"{API}/tag/{REVISION}", repositories.create_tag),
        ("DELETE", f"{API}/tag/{REVISION}", repositories.delete_tag),
        ("GET", f"{API}/discussions", repositories.discussions),
        ("POST", f"{API}/discussions", repositories.open_pull),
        ("GET", rf"{API}/discussions/(?P<number>\d+)", repositories.one_discussion),
        ("GET", f"{API}/parquet", trees.converted_parquet),
        ("GET", f"{API}/revision/{REVISION}", repositories.info),
        ("GET", API, repositories.info),
        ("GET", "/(?:info|parquet|is-valid|splits|size)", trees.viewer),
        ("POST", rf"{PAGE}\.git/info/lfs/objects/batch", uploads.batch),
        ("PUT", f"/storage/objects/{OID}", uploads.put_object),
        ("POST", f"/storage/objects/{OID}/verify", uploads.verify_object),
        ("PUT", rf"/storage/parts/{OID}/(?P<part>\d+)", uploads.put_part),
        ("POST", f"/storage/parts/{OID}", uploads.join_parts),
        ("GET HEAD", f"{PAGE}/resolve/{REVISION}/(?P<path>.+)", trees.resolve),
    ]
]


def route(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """Find the endpoint of a request, and the decoded parts of its path.

    Args:
        method: HTTP method.
        path: Path without the query, still encoded: a revision may hold a slash.
    """
    for methods, pattern, endpoint in ROUTES:
        match = pattern.fullmatch(path) if method in methods else None
        if match:
            named = {name: unquote(part) for name, part in match.groupdict().items() if part}
            return endpoint, named
    return None
