"""The breaker alone, with a fake clock."""

from enrichment.breaker import BACKOFF, FAILURES_TO_OPEN, Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock=clock)
    for _ in range(FAILURES_TO_OPEN):
        breaker.record_failure()
    return breaker


def test_separate_failures_do_not_open_it() -> None:
    breaker = Breaker()

    for _ in range(3):
        for _ in range(FAILURES_TO_OPEN - 1):
            breaker.record_failure()
        assert not breaker.is_open
        assert breaker.seconds_until_probe() == 0
        breaker.record_response()


def test_failures_in_a_row_open_it_for_a_pause() -> None:
    clock = Clock()

    breaker = opened(clock)

    assert breaker.is_open
    assert breaker.seconds_until_probe() == BACKOFF.first_seconds
    clock.now += BACKOFF.first_seconds
    assert breaker.seconds_until_probe() == 0


def test_failed_probe_doubles_the_pause_up_to_a_limit() -> None:
    clock = Clock()
    breaker = opened(clock)

    pauses = []
    for _ in range(6):
        clock.now += breaker.seconds_until_probe()
        breaker.record_failure()
        pauses.append(breaker.seconds_until_probe())

    assert pauses == [4, 8, 16, BACKOFF.longest_seconds, BACKOFF.longest_seconds, BACKOFF.longest_seconds]


def test_failures_of_earlier_calls_do_not_lengthen_the_pause() -> None:
    clock = Clock()
    breaker = opened(clock)

    clock.now += BACKOFF.first_seconds / 2
    for _ in range(50):
        breaker.record_failure()

    assert breaker.seconds_until_probe() == BACKOFF.first_seconds / 2


def test_pause_begins_with_the_failure_that_opened_it() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)

    for _ in range(FAILURES_TO_OPEN):
        clock.now += 10
        breaker.record_failure()

    assert breaker.seconds_until_probe() == BACKOFF.first_seconds


def test_response_closes_it_and_resets_the_pause() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += BACKOFF.first_seconds
    breaker.record_failure()

    breaker.record_response()

    assert not breaker.is_open
    assert breaker.seconds_until_probe() == 0
    for _ in range(FAILURES_TO_OPEN):
        breaker.record_failure()
    assert breaker.seconds_until_probe() == BACKOFF.first_seconds
