"""Times as people say them."""


def time_in_words(seconds: float) -> str:
    """As precise as it matters: 40 ms, 2.5 s, 50 s, 3 min, 5 h, 2 d. Never below zero: two machines' clocks differ."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 10:  # noqa: PLR2004  # below it, tenths matter
        return f"{seconds:.1f} s"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def minutes_in_words(minutes: int) -> str:
    """To the minute: 40 min, 2 h 5 min."""
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
