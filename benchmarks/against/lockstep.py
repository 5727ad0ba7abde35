"""Two sides measured in lockstep: a process of each, and they take turns, one idle while the other measures.

Neighbours on a machine come in bursts of seconds, so rounds of A and B side by side share their luck; this is
the duet of Bulej et al. 2020 ("Duet Benchmarking: Improving Measurement Accuracy in the Cloud"), in turns,
because a strategy wants all processors. What changes from start to start (memory layout, for one) is sampled
by starting both processes anew, pair after pair. Each pair is kept as a folder: results/saved/pairs.py.
"""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.against.channel import PROTOCOL, Channel, Message
from benchmarks.against.sides import Side, SideError, last_words
from results.saved.pairs import pairs_in

START_SECONDS = 600.0  # for the first of two sides to be ready
PATIENCE = 10.0  # how many times as long as the other side a side may take
LEAST_PATIENCE = 20.0  # seconds; also for a process to end
SPEED = "benchmarks/test_speed.py"  # what is measured, unless the options name another file
STATUS_OF_UNKNOWN_OPTIONS = 4  # pytest's


def names_benchmarks(options: Sequence[str]) -> bool:
    """Whether pytest's options name the benchmarks' file themselves."""
    return any(not option.startswith("-") and option.partition("::")[0].endswith(".py") for option in options)


class Player:
    """One side's process in one pair."""

    def __init__(self, side: Side, folder: Path, options: list[str]) -> None:
        """Start it; it proves its strategies and waits for orders."""
        self.side = side
        self.seconds: dict[str, float] = {}  # how long its proof took, by strategy: in order of their turns
        self._log = folder / f"{side.letter}.log"
        self._files = folder.resolve() / f"files-{side.letter}"  # two pytests trip over a common one
        ours, theirs = socket.socketpair()
        named = [] if names_benchmarks(options) else [SPEED]
        command = [str(side.python), "-m", "pytest", *side.options, *named]
        command += ["--benchmark-only", f"--benchmark-json={folder.resolve() / side.letter}.json"]
        command += [f"--basetemp={self._files}"]
        with theirs, self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*command, f"--lockstep={theirs.fileno()}", *options],
                cwd=side.folder,
                env={**os.environ, **side.environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C comes to the controller alone; and a group to end it with
            )
        self._channel = Channel(ours)

    def fileno(self) -> int:
        """The descriptor on which `select` waits for its messages."""
        return self._channel.fileno()

    def ready(self) -> bool:
        """Wait until the strategies of its next workload are proven; False if there is none.

        Raises:
            SideError: if it fails, or has nothing to measure.
        """
        try:
            message = self._hear("it did not say what it measures", LEAST_PATIENCE)
        except EOFError:
            if self._process.wait(LEAST_PATIENCE) == 0 and self.seconds:
                return False
            raise SideError(f"{self.side} failed: {self._why_it_ended()}") from None
        if message["protocol"] != PROTOCOL:
            raise SideError(f"{self.side} takes turns in another way: its revision is too far from this one")
        self.seconds = message["ready"]
        if not self.seconds:
            raise SideError(f"{self.side} has nothing to measure: look at the options after --")
        return True

    def play(self, name: str, *, is_last: bool, patience: float) -> float:
        """Let it take a round; gives the seconds.

        Raises:
            SideError: if it fails, is wrong, or takes too long.
        """
        try:
            self._channel.send(round=name, is_last=is_last)
            return float(self._hear(f"a round of {name} did not end", patience)["seconds"])
        except EOFError:
            raise SideError(f"{self.side} failed: {self._why_it_ended()}") from None

    def end(self) -> None:
        """Say that this workload has no more rounds; whether that went well is known from `ready`."""
        with suppress(EOFError):
            self._channel.send(end=True)

    def stop(self) -> None:
        """End it and its workers."""
        self._channel.close()  # it ends by itself, if it can
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(LEAST_PATIENCE / 4)
        self._process.kill()
        self._process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)  # workers; what tidies up behind them ignores it
        deadline = time.monotonic() + LEAST_PATIENCE / 4
        while self._group_lives() and time.monotonic() < deadline:
            time.sleep(0.02)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        shutil.rmtree(self._files, ignore_errors=True)

    def _group_lives(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _hear(self, what: str, patience: float) -> Message:
        try:
            message = self._channel.receive(patience)
        except TimeoutError:
            raise SideError(f"{self.side} hangs: {what} in {patience:.0f} s") from None
        if "failed" in message:
            raise SideError(f"{self.side} failed: {message['failed']}")
        return message

    def _why_it_ended(self) -> str:
        status = self._process.wait(LEAST_PATIENCE)
        if status == STATUS_OF_UNKNOWN_OPTIONS and "--lockstep" in self._log.read_text(errors="replace"):
            return "its revision is older than lockstep; compare saved runs with results.verdict instead"
        if status < 0:
            return f"it was ended by {signal.Signals(-status).name} (its log: {os.path.relpath(self._log)})"
        return last_words(self._log)


def take_pair(sides: tuple[Side, Side], folder: Path, rounds: int, options: list[str]) -> Path:
    """Take the next pair of this folder; it is there as a whole or not at all.

    Raises:
        SideError: naming the side that failed, was wrong, or did not answer.
    """
    number = 1 + max((int(pair.name.removeprefix("pair-")) for pair in pairs_in(folder)), default=0)
    for stale in folder.glob("part-*"):
        shutil.rmtree(stale, ignore_errors=True)
    part = folder / f"part-{os.getpid()}"
    part.mkdir(parents=True)
    began = time.monotonic()
    players: list[Player] = []
    try:
        for side in sides:
            players.append(Player(side, part, options))  # noqa: PERF401  each must be stopped if the next fails
        _play(players, number, rounds)
    finally:
        for player in players:
            player.stop()
    (part / "pair.json").write_text(json.dumps({"seconds": round(time.monotonic() - began, 2)}))
    return part.rename(folder / f"pair-{number:03}")


def _play(players: list[Player], number: int, rounds: int) -> None:
    """All rounds of one pair of processes, workload after workload."""
    while _ready(players):
        names = list(players[0].seconds)
        slowest = {name: max(player.seconds[name] for player in players) for name in names}
        for turn, (round_number, name) in enumerate((r, name) for r in range(rounds) for name in names):
            first = (number + turn + (round_number if len(names) % 2 == 0 else 0)) % 2
            for player in (players[first], players[1 - first]):
                patience = max(LEAST_PATIENCE, PATIENCE * slowest[name])
                seconds = player.play(name, is_last=round_number == rounds - 1, patience=patience)
                slowest[name] = max(slowest[name], seconds)
        for player in players:
            player.end()


def _ready(players: list[Player]) -> bool:
    """Whether both have another workload; the second to answer may take some times as long as the first."""
    began, patience = time.monotonic(), START_SECONDS
    told: dict[str, bool] = {}
    while waiting := [player for player in players if player.side.letter not in told]:
        left = patience - (time.monotonic() - began)
        heard, _, _ = select.select(waiting, [], [], max(0.0, left))
        if not heard:
            raise SideError(f"{waiting[0].side} hangs: it did not begin to measure in {patience:.0f} s")
        for player in heard:
            told[player.side.letter] = player.ready()
        patience = max(START_SECONDS / 10, PATIENCE * (time.monotonic() - began))
    if len(set(told.values())) > 1 or set(players[0].seconds) != set(players[1].seconds):
        a, b = (sorted(set(p.seconds) - set(q.seconds)) or "nothing" for p, q in (players, players[::-1]))
        raise SideError(f"the sides do not measure the same: only A has {a}, only B {b}")
    return all(told.values())
