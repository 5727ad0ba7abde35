"""Messages between the controller of A against B and a side: one JSON object a line, over a socket."""

import json
import socket
from typing import Any

PROTOCOL = 1  # a side that speaks another cannot be measured with this one

Message = dict[str, Any]


class Channel:
    """One end."""

    def __init__(self, end: socket.socket) -> None:
        """Take over this end of a socket pair."""
        self._socket = end
        self._rest = b""

    def send(self, **message: object) -> None:
        """Send a message.

        Raises:
            EOFError: if the other end has gone.
        """
        try:
            self._socket.settimeout(None)
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise EOFError("the other end has gone") from error

    def receive(self, seconds: float | None = None) -> Message:
        """Wait for the next message, at most so many seconds.

        Raises:
            EOFError: if the other end has gone.
            TimeoutError: if no message came in time.
        """
        self._socket.settimeout(seconds)
        while b"\n" not in self._rest:
            try:
                data = self._socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise EOFError("the other end has gone")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        message: Message = json.loads(line)
        return message

    def fileno(self) -> int:
        """What `select` waits for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up: the other end sees it at once."""
        self._socket.close()
