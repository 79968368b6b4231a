"""The sequence of steps, which follows from the seed. Their effects depend on timing."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

MEAN_PAUSE_SECONDS = 0.12
OWNER_NAMES = ("ada", "barbara", "grace")

# Relative frequencies. The names are methods of Owner and Disturbances.
OWNERS = {
    "capture": 36,
    "capture_pair": 8,
    "capture_bulk": 3,
    "capture_manually": 3,
    "capture_outage": 1,
    "capture_mended": 3,
    "capture_refused": 2,
    "edit": 8,
    "confirm": 14,
    "discard_in_flight": 5,
    "discard": 5,
    "retry": 6,
    "send_again": 3,
}
DISTURBANCES = {
    "kill_worker": 1.2,
    "freeze_worker": 0.8,
    "stop_worker": 0.6,
    "end_listen_connections": 0.4,
    "end_all_connections": 0.4,
    "restart_fast": 0.3,
    "restart_immediately": 0.4,
    "restart_after_kill": 0.3,
    "absence": 0.25,
    "silence": 0.35,
    "cut": 0.2,
    "calm": 0.25,
}
WEIGHTS = OWNERS | DISTURBANCES


@dataclass(frozen=True)
class Step:
    """One step, by one of the owners or a disturbance.

    `share`, from 0 to 1, chooses the target, `number` the count, `seconds` the duration.
    """

    name: str
    owner: str
    share: float
    number: int
    seconds: float
    pause: float


def steps(choose: random.Random) -> Iterator[Step]:
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    while True:
        yield Step(
            name=choose.choices(names, weights)[0],
            owner=choose.choice(OWNER_NAMES),
            share=choose.random(),
            number=choose.randint(1, 40),
            seconds=choose.uniform(0.5, 7),
            pause=min(choose.expovariate(1 / MEAN_PAUSE_SECONDS), 1),
        )
