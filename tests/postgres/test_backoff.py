"""Pauses between retries."""

from postgres.backoff import Backoff


def test_pause_doubles_up_to_a_limit() -> None:
    pauses = [Backoff(first_seconds=1, longest_seconds=5).seconds(failures) for failures in range(1, 6)]

    assert pauses == [1, 2, 4, 5, 5]


def test_pause_after_any_number_of_failures_is_the_longest() -> None:
    assert Backoff(first_seconds=0.1, longest_seconds=60).seconds(1_000_000) == 60


def test_jitter_spreads_pauses_around_the_doubled_one() -> None:
    pauses = {Backoff(first_seconds=1, longest_seconds=60).jittered_seconds(3) for _ in range(100)}

    assert len(pauses) > 90
    assert all(2 <= pause <= 6 for pause in pauses)
