"""Checks whether a cluster is fit: it has workers, in reach, that decode as this process does."""

import re
import socket
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from exactframes.errors import RefusedError
from exactframes.versions import Versions, versions

REACH_SECONDS = 2.0
ASK_SECONDS = 10.0
HERE = "here"


def workers_of(client: Any, seconds: float = ASK_SECONDS) -> dict[str, dict[str, Any]]:
    """What the scheduler reports of its workers, by their addresses.

    client.scheduler_info does not serve: every two seconds the client sets its result to an answer without
    workers (distributed 2026.8.0, `_update_scheduler_info(n_workers=0)`), maybe just before it is returned.
    """
    identity = client.scheduler.identity
    found: dict[str, dict[str, Any]] = client.sync(identity, n_workers=-1, callback_timeout=seconds)[
        "workers"
    ]
    return found


def require_fit(client: Any, scheduler: str) -> None:
    """Check that every worker has this process's versions, and that the scheduler has this library.

    The scheduler reads each task as distributed makes it, and so needs what a task is made of (Dask's
    documentation asks for the same software on client, scheduler and workers).

    Args:
        client: a connected distributed.Client.
        scheduler: its address, for the message.

    Raises:
        RefusedError: with a table of the versions on each.
    """
    found = _ask(client)
    if not found:
        raise RefusedError(
            f"the cluster at {scheduler} has no workers: start some, `dask worker {scheduler}`"
        )
    table: dict[str, object] = {HERE: versions(), **dict(sorted(found.items()))}
    try:
        client.run_on_scheduler(versions)
    except Exception as error:
        raise RefusedError(
            f"the scheduler at {scheduler} cannot read tasks of exactframes ({_reason(error)}): "
            "start it in the same environment as its workers"
        ) from error
    if set(table.values()) != {table[HERE]}:
        raise RefusedError(refusal(table))


def _ask(client: Any) -> dict[str, object]:
    """Each worker's versions, or what it raised; if one is lost meanwhile, all are asked again."""
    until = time.monotonic() + ASK_SECONDS
    while True:
        found: dict[str, object] = client.run(versions, on_error="return")
        is_settled = found and not any(isinstance(answer, OSError) for answer in found.values())
        if is_settled or time.monotonic() > until:
            return found
        time.sleep(0.2)


def require_same_versions(theirs: Versions, worker: str = "a worker that has joined") -> None:
    """Check the versions that a worker sent with its frames.

    Raises:
        RefusedError: with a table of the versions on each.
    """
    if theirs != versions():
        raise RefusedError(refusal({HERE: versions(), worker: theirs}))


def refusal(table: Mapping[str, object]) -> str:
    """Why a cluster is refused, and the versions of each; for one without versions, why it has none."""
    missing = [who for who, what in table.items() if not isinstance(what, Versions)]
    told = "workers differ in their versions; frames might differ: install the same everywhere"
    if missing:
        told = (
            f"workers cannot decode: {', '.join(missing)}; install exactframes and FFmpeg's libraries there, "
            "in the versions that are here"
        )
    rows: list[tuple[str, ...]] = [("", *Versions._fields)]
    rows += [
        (who, *what) if isinstance(what, Versions) else (who, _reason(what)) for who, what in table.items()
    ]
    full = [row for row in rows if len(row) > 2]
    widths = [max(len(row[0]) for row in rows), *(max(len(row[n]) for row in full) for n in range(1, 5))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=False)).rstrip() for row in rows]
    return "\n".join([told, *lines])


def _reason(error: object) -> str:
    text = str(error).strip()
    if missing := re.search(r"No module named '([\w.]+)'", text):
        return f"{missing[1]} is not installed"
    if "libtorchcodec" in text or "FFmpeg" in text:
        return "TorchCodec does not load: it finds no FFmpeg, or the wrong torch"
    return (text.splitlines() or [type(error).__name__])[0][:100]


def can_reach(workers: Iterable[str]) -> bool:
    """Whether this process can connect to all of these addresses (tcp://host:port) within two seconds."""
    addresses = list(workers)
    with ThreadPoolExecutor(max(1, min(64, len(addresses)))) as pool:
        return all(pool.map(_can_connect, addresses))


def _can_connect(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls"):
        return parts.scheme == "inproc"
    try:
        socket.create_connection((parts.hostname, parts.port), REACH_SECONDS).close()
    except OSError:
        return False
    return True
