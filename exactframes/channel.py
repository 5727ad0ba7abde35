"""Messages between two processes of one machine, over a socket; an open file can go with each."""

import pickle
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!Q")
# The program may have set SIGPIPE to end it; a worker that has gone must not cause that.
_NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)


class Channel:
    """One end. Messages come only from a process that this library started, or from its parent."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over a connected Unix socket."""
        self._socket = connection

    def fileno(self) -> int:
        """The socket's descriptor, to wait on."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this end in this process; a fork's copy stays open."""
        self._socket.close()

    def send(self, message: object, descriptor: int | None = None) -> None:
        """Send an object, and an open file if one is given.

        Raises:
            OSError: if the other end is closed.
        """
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        files = struct.pack("i", descriptor) if descriptor is not None else None
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)] if files else []
        self._socket.sendmsg([_LENGTH.pack(len(data))], rights, _NO_SIGNAL)
        self._socket.sendall(data, _NO_SIGNAL)

    def receive(self) -> tuple[bytearray, int | None]:
        """The next message, still pickled, and the descriptor that came with it.

        Raises:
            EOFError: if the other end is closed.
            OSError: if the other end closes in the middle of a message.
        """
        head, descriptors, _, _ = socket.recv_fds(self._socket, _LENGTH.size, 1)
        if not head:
            raise EOFError
        head += self._exactly(_LENGTH.size - len(head))
        return self._exactly(*_LENGTH.unpack(head)), descriptors[0] if descriptors else None

    def _exactly(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = self._socket.recv_into(view)
            if count == 0:
                raise EOFError
            view = view[count:]
        return data


def unpacked(data: bytearray) -> Any:
    """The object that a message holds."""
    return pickle.loads(data)  # noqa: S301  it comes from our own child or parent
