"""Pauses between retries."""

from postgres.backoff import backoff_seconds, doubled_seconds


def test_pause_doubles_up_to_a_limit() -> None:
    pauses = [doubled_seconds(failures, first_seconds=1, longest_seconds=5) for failures in range(1, 6)]

    assert pauses == [1, 2, 4, 5, 5]


def test_pause_after_any_number_of_failures_is_the_longest() -> None:
    assert doubled_seconds(1_000_000, first_seconds=0.1, longest_seconds=60) == 60


def test_jitter_spreads_pauses_around_the_doubled_one() -> None:
    pauses = {backoff_seconds(3, first_seconds=1, longest_seconds=60) for _ in range(100)}

    assert len(pauses) > 90
    assert all(2 <= pause <= 6 for pause in pauses)
