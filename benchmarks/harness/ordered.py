"""Rounds in the order that a controller gives: this process is one side of A against B.

With --lockstep FD it proves every contender, reports that it is ready, and then takes a round when the
controller (benchmarks/against/lockstep.py) orders one. In between it is idle, while the other side measures.
It ends when the controller ends.
"""

import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import pytest

from benchmarks.against.channel import PROTOCOL, Channel, Message
from benchmarks.harness.clock import CLOCK
from benchmarks.harness.contenders import Contender, NotMeasuredError
from benchmarks.harness.rounds import Ahead
from benchmarks.harness.untimed import prove_and_cost
from fixtures.console import Console

T = TypeVar("T")
GRACE_SECONDS = 10.0  # for a round to end after the controller has gone


class Orders:
    """The controller's orders, read on a thread, so that its end is noticed also during a round."""

    def __init__(self, descriptor: int) -> None:
        """Take over this end of the controller's socket pair."""
        os.set_inheritable(descriptor, False)
        self._channel = Channel(socket.socket(fileno=descriptor))
        self._read: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        threading.Thread(target=self._read_all, daemon=True).start()

    def answer(self, **message: object) -> None:
        """Send a message; end this session if the controller has gone."""
        try:
            self._channel.send(**message)
        except EOFError:
            pytest.exit("the controller of this side has gone", returncode=1)

    def next(self) -> Message:
        """Wait for the next order; end this session if the controller has gone."""
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
        if os.getpgrp() == os.getpid():  # the controller starts a side so: its workers end with it
            os.killpg(0, signal.SIGTERM)  # joblib's resource tracker ignores it, and tidies up at the end
        os._exit(1)


class Ordered(Ahead):
    """Takes rounds as they are ordered; a contender that fails, or is wrong, ends the session."""

    def __init__(self, contenders: Sequence[Contender], orders: Orders, console: Console) -> None:
        """Take orders from `orders`."""
        super().__init__(contenders)
        self._orders, self._console = orders, console

    def take_all(self) -> None:
        """Prove all; then take rounds until the controller ends this workload."""
        ready = {}
        for name, contender in self.contenders.items():
            self._console.live(f"{name:<20} proof, before any round in lockstep")
            began = time.perf_counter()
            try:
                self.found[name] = self._reported(name, partial(prove_and_cost, contender))
                ready[name] = time.perf_counter() - began
            except NotMeasuredError as reason:
                self.errors[name] = reason
        self._orders.answer(protocol=PROTOCOL, ready=ready)
        while "round" in (order := self._orders.next()):
            self._take(order["round"], is_last=order["is_last"])

    def _take(self, name: str, *, is_last: bool) -> None:
        subject = self.contenders[name].subject
        run = subject.prove_last if is_last else subject.run
        seconds = self._reported(name, partial(CLOCK.seconds_of, run))
        self.seconds[name].append(seconds)
        self._orders.answer(seconds=seconds)

    def _reported(self, name: str, run: Callable[[], T]) -> T:
        try:
            return run()
        except NotMeasuredError:
            raise
        except Exception as error:  # noqa: BLE001  the controller reports it, and names the side
            self._orders.answer(failed=f"{name}: {error}")
            pytest.exit(f"{name}: {error}", returncode=1)
