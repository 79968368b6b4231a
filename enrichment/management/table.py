"""A table for a terminal, whose columns stand side by side while they fit."""

from collections.abc import Iterator, Sequence

from items.management.terminal import cells, padded

GAP = "  "
MIN_COLUMN_WIDTH = 24


def table_lines(labels: Sequence[str], columns: Sequence[Sequence[str]], *, width: int) -> Iterator[str]:
    """Yield the lines of a table with one label for each row. Columns that do not fit follow below."""
    label_width = max(map(cells, labels))
    room = width - label_width
    at_once = max(1, min(len(columns), room // (MIN_COLUMN_WIDTH + len(GAP))))
    column_width = max(MIN_COLUMN_WIDTH, room // at_once - len(GAP))
    for start in range(0, len(columns), at_once):
        if start:
            yield ""
        block = columns[start : start + at_once]
        for label, *texts in zip(labels, *block, strict=True):
            yield from _row_lines(label, [wrapped(text, column_width) for text in texts], label_width, column_width)


def _row_lines(label: str, texts: Sequence[Sequence[str]], label_width: int, column_width: int) -> Iterator[str]:
    for number in range(max(map(len, texts))):
        lines = [text[number] if number < len(text) else "" for text in texts]
        start = padded(label if number == 0 else "", label_width)
        yield GAP.join([start, *(padded(line, column_width) for line in lines)]).rstrip()


def wrapped(text: str, width: int) -> list[str]:
    """Break a text between words, and a word only if it is longer than a line."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cells(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for character in word:
            if cells(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    return lines
