"""Does this machine know a host's name? dockerd asks the same resolver, never Docker's own DNS."""

from __future__ import annotations

import socket
import threading

ANSWER_SECONDS = 2.0  # a resolver that answers takes milliseconds; one that does not must not hold us up


def resolves(host: str) -> bool | None:
    """None when there was no answer in time, or none that says anything about the name."""
    found: list[bool | None] = []

    def ask() -> None:
        found.append(_ask(host))

    thread = threading.Thread(target=ask, daemon=True)  # getaddrinfo cannot be given a time limit
    thread.start()
    thread.join(ANSWER_SECONDS)
    return found[0] if found else None


def _ask(host: str) -> bool | None:
    try:
        return bool(socket.getaddrinfo(host, None))
    except socket.gaierror as error:
        return False if error.errno in (socket.EAI_NONAME, socket.EAI_NODATA) else None
    except (OSError, UnicodeError):
        return False
