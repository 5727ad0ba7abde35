from benchmarks.harness.watching import Progress, in_words


def test_what_is_left_follows_the_rounds_that_were_taken() -> None:
    progress = Progress(rounds=3)
    progress.add("slow", 40.0, 10.0)
    progress.add("quick", 2.0, 0.0)
    assert (progress.total, progress.seconds_left) == (6, 3 * 40 + 10 + 3 * 2)
    progress.took("slow", 20.0)
    assert progress.next_of_all == "2 of 6, about 56 s left"
    progress.out("slow")
    assert progress.next_of_all == "1 of 3, about 6 s left"


def test_durations_in_words() -> None:
    assert [in_words(seconds) for seconds in (0.2, 59.6, 99, 130, 3600)] == [
        "1 s",
        "60 s",
        "99 s",
        "2 min",
        "60 min",
    ]
