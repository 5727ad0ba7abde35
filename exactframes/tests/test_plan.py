"""Which packets a plan keeps, and how it joins them to runs, on packets that hold no pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exactframes import plan
from exactframes.errors import RestDeclinedError
from exactframes.gops import Asked, Gop, Packet, Request
from exactframes.packets import VideoPacket
from exactframes.plan import LARGEST_RUN, SMALLEST_RUN, Run, Sharing, plan_runs
from exactframes.rules.roles import Role

# A packet is written as its kind and when it is shown: "I0 P2 b1".
KINDS = {
    "I": Role(needed=True, starts=True),
    "R": Role(needed=True, starts=True, leads=True),  # as I, but frames may come before it
    "i": Role(needed=False, starts=True),  # of an intra-only codec
    "P": Role(needed=True),
    "b": Role(needed=False),
    "c": Role(needed=False, layer=1),
    "d": Role(needed=False, layer=2),
}


@dataclass(frozen=True)
class Sized:
    """What a plan reads of a packet's data; its name is for the tests."""

    name: str
    size: int


def gop(text: str, size: int = 1) -> Gop:
    packets = [
        Packet(int(name[1:]), KINDS[name[0]], cast("VideoPacket", Sized(name, size))) for name in text.split()
    ]
    return Gop(packets, any(packet.pts < packets[0].pts for packet in packets))


def windows(gops: Sequence[Gop], wanted: Sequence[int]) -> list[Asked]:
    """The GOPs with the requests for frames shown at these times, in the rows 0, 1, 2 ..."""
    requests = [Request(pts, row) for row, pts in enumerate(wanted)]
    found = []
    for this, following in zip_longest(gops, gops[1:]):
        early = following.leading() if following else []
        own = [packet.pts for packet in this.packets if packet.pts >= this.shown]
        found.append(
            Asked(
                this,
                following,
                [r for r in requests if r.pts in own],
                [r for r in requests if r.pts in early],
            )
        )
    return found


def names(run: Run) -> str:
    return " ".join(cast("Sized", packet.data).name for packet in run.packets)


def plan_of(*gops: str, wanted: Sequence[int], prunes: bool = True) -> list[str]:
    """The runs for one worker, who takes all in one where it may."""
    asked = windows([gop(text) for text in gops], wanted)
    sharing = Sharing(requests=len(wanted), workers=1, most_frames=1000)
    return [names(run) for run in plan_runs(asked, sharing, prunes=prunes)]


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ([0], "I0"),
        ([1], "I0 P3 b1"),
        ([2], "I0 P3 b2"),
        ([3], "I0 P3"),
        ([4], "I0 P3 P6 b4"),
        ([1, 5], "I0 P3 b1 P6 b5"),
        ([6, 2], "I0 P3 b2 P6"),
        (range(7), "I0 P3 b1 b2 P6 b4 b5"),
    ],
)
def test_what_others_need_is_kept_up_to_the_last_request(wanted: Sequence[int], kept: str) -> None:
    assert plan_of("I0 P3 b1 b2 P6 b4 b5", wanted=wanted) == [kept]


def test_frames_that_need_no_others_are_decoded_alone() -> None:
    assert plan_of("i0", "i1", "i2", "i3", wanted=[1, 3]) == ["i1 i3"]


def test_without_a_rule_all_is_kept_up_to_the_last_request() -> None:
    gops = "I0 P1 b2", "I3 b4", "I5 b6 b7"
    assert plan_of(*gops, wanted=[1, 6], prunes=False) == ["I0 P1 I5 b6"]


def test_nothing_is_planned_where_nothing_is_asked() -> None:
    assert plan_of("I0 P1", "I2 P3", wanted=[]) == []


def test_a_run_goes_on_over_gops_that_nobody_asks_for() -> None:
    assert plan_of("I0 P1", "I2 P3", "I4 P5", wanted=[0, 5]) == ["I0 I4 P5"]


# --- Temporal layers ---


@pytest.mark.parametrize(
    ("text", "wanted", "kept"),
    [
        ("I0 P4 b2 c1 c3", 4, "I0 P4"),  # nothing refers to what comes later
        ("I0 P4 b2 c1 c3", 3, "I0 P4 b2 c3"),
        ("I0 P4 b2 b1 b3", 3, "I0 P4 b3"),
        ("I0 P8 b4 c2 d1 d3 c6 d5 d7", 5, "I0 P8 b4 c2 c6 d5"),
    ],
)
def test_only_the_highest_temporal_layer_is_dropped(text: str, wanted: int, kept: str) -> None:
    assert plan_of(text, wanted=[wanted]) == [kept]


def test_the_highest_layer_of_a_gop_counts_also_where_it_comes_later() -> None:
    assert plan_of("I0 P2 b1 P4 b3 c5", wanted=[3]) == ["I0 P2 b1 P4 b3"]


def test_the_next_open_gop_may_refer_to_lower_layers() -> None:
    assert plan_of("I0 P2 b1", "R5 c3 c4", wanted=[2, 3]) == ["I0 P2 b1 R5 c3"]
    assert plan_of("I0 P3 b1 c2", "R6 b4 b5", wanted=[3, 4]) == ["I0 P3 b1 R6 b4"]
    assert plan_of("I0 P3 c1 c2", "R6 b4 c5", wanted=[3, 5]) == ["I0 P3 R6 b4 c5"]


def test_the_next_closed_gop_refers_to_no_layer() -> None:
    assert plan_of("I0 P2 b1 P3", "I4 c5", wanted=[3]) == ["I0 P2 P3"]


# --- Open GOPs ---


def test_leading_frames_are_decoded_with_the_gop_before_them() -> None:
    assert plan_of("I0 P3 b1 P2", "R6 P5 b4 P9 b7", wanted=[4]) == ["I0 P3 P2 R6 P5 b4"]


def test_leading_frames_keep_all_that_is_between() -> None:
    assert plan_of("I0 P3 b1 b2", "R6 b4 P5 b7", wanted=[5], prunes=False) == ["I0 P3 b1 b2 R6 b4 P5"]
    assert plan_of("I0 P3 b1 b2", "R6 b4 P5 b7", wanted=[5]) == ["I0 P3 R6 P5"]
    assert plan_of("I0 P3 b1", "R6 b4 b5 b7", wanted=[1, 4, 5]) == ["I0 P3 b1 R6 b4 b5"]


def test_frames_after_an_open_gop_s_first_one_need_no_gop_before() -> None:
    assert plan_of("I0 P3", "R6 b4 b5 P9 b8", "I10", wanted=[9]) == ["R6 P9"]


@pytest.mark.parametrize(("prunes", "kept"), [(True, "R0 P1 P3 P5"), (False, "R0 P1 b2 P3")])
def test_where_a_run_may_be_led_some_packets_after_the_asked_ones_are_kept(
    prunes: bool, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # FFmpeg's H.264 decoder gives frames after a recovery point once that one is given, not when flushed.
    monkeypatch.setattr(plan, "HELD_BACK", 2)
    assert plan_of("R0 P1 b2 P3 b4 P5 b6 P7", wanted=[1], prunes=prunes) == [kept]


def test_enough_packets_are_kept_for_any_decoder_to_give_the_asked_frame() -> None:
    # The largest decoded picture buffer holds 16 frames (H.264, A.3.1): one more drives the first one out.
    packets = [f"{'P' if n else 'R'}{n}" for n in range(40)]
    assert plan_of(" ".join(packets), wanted=[0]) == [" ".join(packets[: 1 + 16 + 1])]


def test_packets_after_the_asked_ones_are_kept_just_where_a_run_begins() -> None:
    assert plan_of("I0 P1", "R2 P3", "I4", wanted=[0, 2, 4]) == ["I0 R2 I4"]
    assert plan_of("R0 P1", "R2 P3", wanted=[0, 2]) == ["R0 P1 R2"]


def test_reference_frames_among_the_leading_ones_are_counted() -> None:
    assert plan_of("I0 P3", "R6 P4 b5 P8", wanted=[6]) == ["R6 P4 P8"]


def test_an_open_gop_begins_a_run() -> None:
    assert plan_of("I0 P3", "R6 b4 P8", wanted=[0, 6]) == ["I0", "R6 P8"]
    assert plan_of("I0 P3", "R6 P8", wanted=[0, 6]) == ["I0 R6"]  # nothing leads it


def test_an_open_gop_whose_leading_frames_are_asked_for_is_in_two_runs() -> None:
    assert plan_of("I0 P3", "R6 b4 P8", "I9", wanted=[4, 8, 9]) == ["I0 P3 R6 b4", "R6 P8 I9"]


def test_requests_go_with_their_run() -> None:
    asked = windows([gop("I0 P3"), gop("R6 b4 P8"), gop("I9")], [4, 8, 9, 3, 4])
    runs = list(plan_runs(asked, Sharing(requests=5, workers=1, most_frames=9), prunes=True))
    assert [[request.row for request in run.requests] for run in runs] == [[3, 0, 4], [1, 2]]
    assert [[request.pts for request in run.requests] for run in runs] == [[3, 4, 4], [8, 9]]


# --- How large runs get ---


def run_of(packets: int, requests: int, size: int = 1) -> Run:
    run = Run()
    run.take(
        gop(" ".join(f"i{n}" for n in range(packets)), size).packets, [Request(0, n) for n in range(requests)]
    )
    return run


def test_a_run_s_size_is_that_of_its_packets() -> None:
    run = run_of(3, 0, size=5)
    run.take(gop("i3", 7).packets, [])
    assert run.size == 22


@pytest.mark.parametrize(("size", "is_large"), [(LARGEST_RUN - 1, False), (LARGEST_RUN, True)])
def test_a_run_is_large_by_its_bytes(size: int, is_large: bool) -> None:
    sharing = Sharing(requests=100, workers=1, most_frames=100)
    assert sharing.is_large(run_of(1, 1, size), 0, 100) == is_large


@pytest.mark.parametrize(("requests", "is_large"), [(9, False), (10, True)])
def test_a_run_is_large_by_its_frames(requests: int, is_large: bool) -> None:
    sharing = Sharing(requests=1000, workers=1, most_frames=10)
    assert sharing.is_large(run_of(1, requests), 0, 1000) == is_large


def test_a_run_has_a_smallest_size() -> None:
    sharing = Sharing(requests=4, workers=4, most_frames=100)
    assert not sharing.is_large(run_of(SMALLEST_RUN - 1, 4), 0, 4)
    assert sharing.is_large(run_of(SMALLEST_RUN, 4), 0, 4)


@pytest.mark.parametrize(
    ("workers", "runs", "packets"),
    [
        *((4, runs, SMALLEST_RUN) for runs in range(4)),
        (4, 4, 2 * SMALLEST_RUN),
        (4, 7, 2 * SMALLEST_RUN),
        (4, 8, 4 * SMALLEST_RUN),
        (2, 6, 8 * SMALLEST_RUN),
    ],
)
def test_runs_grow_whenever_each_worker_had_one(workers: int, runs: int, packets: int) -> None:
    sharing = Sharing(requests=9999, workers=workers, most_frames=9999)
    assert not sharing.is_large(run_of(packets - 1, 1), runs, 9999)
    assert sharing.is_large(run_of(packets, 1), runs, 9999)


@pytest.mark.parametrize(("workers", "left", "share"), [(2, 30, 5), (2, 31, 6), (5, 30, 2), (5, 3, 1)])
def test_runs_shrink_with_what_is_left(workers: int, left: int, share: int) -> None:
    sharing = Sharing(requests=9999, workers=workers, most_frames=9999)
    runs = 5 * workers  # grown meanwhile
    assert not sharing.is_large(run_of(SMALLEST_RUN, share - 1), runs, left)
    assert sharing.is_large(run_of(SMALLEST_RUN, share), runs, left)


def test_growth_ends_before_numbers_get_huge() -> None:
    sharing = Sharing(requests=9999, workers=2, most_frames=9999)
    assert not sharing.is_large(run_of(SMALLEST_RUN, 1), 1 << 60, 9999)


def runs_of(wanted: Sequence[int], frames: int, sharing: Sharing) -> list[int]:
    """How many packets each run gets, of a video in which every frame is a GOP."""
    asked = windows([gop(f"i{n}") for n in range(frames)], wanted)
    return [len(run.packets) for run in plan_runs(asked, sharing, prunes=True)]


def runs_of_pairs(requests: int, sharing: Sharing) -> list[int]:
    """The same where a GOP has two frames, of which the second is asked for."""
    asked = windows([gop(f"I{n} P{n + 1}") for n in range(0, 2 * requests, 2)], range(1, 2 * requests, 2))
    return [len(run.packets) for run in plan_runs(asked, sharing, prunes=True)]


@pytest.mark.parametrize(
    ("workers", "sizes"),
    [
        (1, [200]),  # each run would open a decoder
        (2, [4, 4, 8, 8, 16, 16, 24, 20, 18, 14, 12, 10, 8, 8, 6, 4, 4, 4, 4, 4, 4]),
    ],
)
def test_runs_begin_small_grow_and_get_smaller_towards_the_end(
    workers: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "SMALLEST_RUN", 4)
    assert runs_of_pairs(100, Sharing(requests=100, workers=workers, most_frames=100)) == sizes


@pytest.mark.parametrize(
    ("workers", "frames", "sizes"),
    [
        (1, 5, [5]),
        (2, 6, [3, 3]),
        (2, 24, [6] * 4),  # one round would be more than twice as many packets as need be
        (2, 23, [12, 11]),
        (4, 3, [1, 1, 1]),
    ],
)
def test_runs_of_requested_frames_alone_are_alike(
    workers: int, frames: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "SMALLEST_RUN", 4)
    sharing = Sharing(requests=frames, workers=workers, most_frames=100)
    assert runs_of(range(frames), frames, sharing) == sizes


def test_runs_hold_no_more_frames_than_allowed() -> None:
    assert runs_of(range(10), 10, Sharing(requests=10, workers=1, most_frames=4)) == [4, 4, 2]


def test_a_gop_is_in_one_run_however_many_frames_are_asked_of_it() -> None:
    asked = windows([gop("I0 P1 P2 P3"), gop("I4 P5")], range(6))
    runs = plan_runs(asked, Sharing(requests=6, workers=1, most_frames=2), prunes=True)
    assert [names(run) for run in runs] == ["I0 P1 P2 P3", "I4 P5"]


def test_what_is_certain_is_given_before_the_rest_is_declined() -> None:
    def asked() -> Iterator[Asked]:
        yield from windows([gop("I0 P1 P2"), gop("I3 P4 P5")], [1, 4])
        raise RestDeclinedError("no more")

    runs = plan_runs(asked(), Sharing(requests=9, workers=1, most_frames=9), prunes=True)
    assert names(next(runs)) == "I0 P1 I3 P4"
    with pytest.raises(RestDeclinedError, match="no more"):
        next(runs)


def test_a_run_is_given_as_soon_as_the_next_gop_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "LARGEST_RUN", 2)
    asked = iter(windows([gop(f"i{n}") for n in range(9)], range(9)))
    next(plan_runs(asked, Sharing(requests=9, workers=1, most_frames=9), prunes=True))
    assert next(asked).gop.shown == 3


@given(
    st.lists(st.integers(0, 99), unique=True, max_size=100).map(sorted), st.integers(1, 5), st.integers(1, 60)
)
def test_every_request_is_in_one_run_with_its_packet(wanted: list[int], workers: int, most: int) -> None:
    sharing = Sharing(requests=len(wanted), workers=workers, most_frames=most)
    asked = windows([gop(f"I{n} b{n + 1} P{n + 2}") for n in range(0, 99, 3)] + [gop("I99")], wanted)
    runs = list(plan_runs(asked, sharing, prunes=True))
    assert [request.row for run in runs for request in run.requests] == list(range(len(wanted)))
    for run in runs:
        assert {request.pts for request in run.requests} <= {packet.pts for packet in run.packets}
        assert run.packets[0].role.starts
