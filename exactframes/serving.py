"""What a worker process does: it decodes excerpts into its parent's output, and ends with its parent."""

import os
import pickle
import socket
import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from torch import Tensor

from exactframes.channel import Channel, unpacked
from exactframes.errors import WorkerError
from exactframes.excerpt import Excerpt, tasks
from exactframes.output import Shape, map_output

CANNOT_START_A_THREAD = 75  # exit status; the EX_TEMPFAIL of sysexits.h: not now, maybe later
WATCH_SECONDS = 1.0


@dataclass(frozen=True)
class Open:
    """Map this output, whose open file comes along. The answer is Ready."""

    lease: int  # numbers the calls that have had this worker: answers to an earlier one are ignored
    shape: Shape


@dataclass(frozen=True)
class Decode:
    """Decode this into the output. The answer is Done or Failed."""

    lease: int
    excerpt: Excerpt
    ffmpeg_threads: int


@dataclass(frozen=True)
class Close:
    """Let go of the output."""


@dataclass(frozen=True)
class Ready:
    """The output is mapped."""

    lease: int


@dataclass(frozen=True)
class Done:
    """So many rows are written."""

    lease: int
    rows: int


@dataclass(frozen=True)
class Failed:
    """The error that was raised instead."""

    lease: int
    error: Exception


Asked = Open | Decode | Close
Answer = Ready | Done | Failed
Inbox = SimpleQueue[tuple[bytearray, int | None]]


def serve(parent: int, idle_seconds: float) -> None:
    """Serve the process `parent`, at the other end of standard input, until it ends or asks nothing for long.

    Standard error is a file in which the parent reads why a worker cannot start. Standard output is the
    parent's standard error: from here on, FFmpeg's messages go there.
    """
    channel, inbox = Channel(socket.socket(fileno=os.dup(0))), Inbox()
    try:
        threading.Thread(target=_listen, args=(channel, inbox), daemon=True).start()
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    except RuntimeError:
        os._exit(CANNOT_START_A_THREAD)
    os.dup2(1, 2)
    try:
        _answer_all(channel, inbox, idle_seconds)
    except OSError:  # nobody receives the answer
        os._exit(0)


def _listen(channel: Channel, inbox: Inbox) -> None:
    """Receive messages, also in the middle of an excerpt; when the parent's end is closed, end at once."""
    try:
        while True:
            inbox.put(channel.receive())
    finally:
        os._exit(0)


def _watch(parent: int) -> None:
    """End the process with its parent, even if a fork of the parent lives on and holds its end open."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(0)


def _answer_all(channel: Channel, inbox: Inbox, idle_seconds: float) -> None:
    output: Tensor | None = None
    while True:
        try:
            data, descriptor = inbox.get(timeout=idle_seconds if output is None else None)
        except Empty:
            os._exit(0)
        message: Asked = unpacked(data)
        if isinstance(message, Close):
            output = None
            continue
        try:
            if isinstance(message, Open):
                output = _opened(message, descriptor)
                answer: Answer = Ready(message.lease)
            else:
                answer = Done(message.lease, _decode(message, output))
        except Exception as error:  # noqa: BLE001  the parent raises it
            answer = Failed(message.lease, _portable(error))
        del message, data  # frees the excerpt's memory
        channel.send(answer)


def _opened(message: Open, descriptor: int | None) -> Tensor:
    if descriptor is None:
        raise WorkerError("a worker process was given no output")
    try:
        return map_output(message.shape, descriptor)
    finally:
        os.close(descriptor)


def _decode(message: Decode, output: Tensor | None) -> int:
    if output is None:
        raise WorkerError("a worker process has no output")
    rows = output.shape[0]
    return sum(task.write(output, 0, rows) for task in tasks([message.excerpt], message.ffmpeg_threads))


def _portable(error: Exception) -> Exception:
    """The error, if it survives pickling; else one with the same message."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:  # noqa: BLE001  an error's own methods may raise anything
        return WorkerError(f"a worker process failed: {type(error).__name__}: {error}")
    return error
