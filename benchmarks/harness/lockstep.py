"""A side of A against B: its rounds are taken when the controller (benchmarks/against/lockstep.py) says so.

With --lockstep FD this process proves every strategy, reports itself ready, and then waits idle between its
rounds while the other side measures. Where the controller goes, this process goes too.
"""

import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from benchmarks.against.channel import PROTOCOL, Channel, Message
from benchmarks.harness.interleaving import Contender, Interleaved, timed
from fixtures.console import Console

GRACE_SECONDS = 10.0  # for a round to end after the controller has gone


class Orders:
    """What the controller says, read on a thread of its own: so its end is seen in the midst of a round."""

    def __init__(self, descriptor: int) -> None:
        """Take over this end of the controller's socket pair."""
        os.set_inheritable(descriptor, False)
        self._channel = Channel(socket.socket(fileno=descriptor))
        self._read: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        threading.Thread(target=self._read_all, daemon=True).start()

    def answer(self, **message: object) -> None:
        """Send a message; ends this session if nobody is there."""
        try:
            self._channel.send(**message)
        except EOFError:
            pytest.exit("the controller of this side has gone", returncode=1)

    def next(self) -> Message:
        """Wait for the next order; ends this session if nobody is there."""
        message = self._read.get()
        if message is None:
            pytest.exit("the controller of this side has gone", returncode=1)
        return message

    def _read_all(self) -> None:
        try:
            while True:
                self._read.put(self._channel.receive())
        except EOFError:
            self._read.put(None)
        time.sleep(GRACE_SECONDS)
        if os.getpgrp() == os.getpid():  # as the controller starts a side: its workers end with it
            os.killpg(0, signal.SIGTERM)  # joblib's resource tracker ignores it, and tidies up at the end
        os._exit(1)


def take_in_lockstep(
    taken: Interleaved, contenders: dict[str, Contender], orders: Orders, console: Console
) -> None:
    """Prove every contender, then take its rounds as ordered; who fails, or is wrong, ends the session."""
    ready = {}
    for name, contender in contenders.items():
        console.live(f"{name:<20} proof, before any round in lockstep")
        began = time.perf_counter()
        found = _told(name, contender.first or contender.run, orders)
        taken.found[name] = found if contender.first else {}
        ready[name] = time.perf_counter() - began
        taken.seconds[name] = []
    orders.answer(protocol=PROTOCOL, ready=ready)
    while "round" in (order := orders.next()):
        name = order["round"]
        contender = contenders[name]
        seconds = _told(name, partial(timed, contender.last if order["is_last"] else contender.run), orders)
        taken.seconds[name].append(seconds)
        orders.answer(seconds=seconds)


def _told(name: str, run: Callable[[], Any], orders: Orders) -> Any:
    try:
        return run()
    except Exception as error:  # noqa: BLE001  told to the controller, which names the side
        orders.answer(failed=f"{name}: {error}")
        pytest.exit(f"{name}: {error}", returncode=1)
