"""One spelling for a tag."""


def normalise_tag(tag: str) -> str:
    """Trimmed, in lower case, with single white space inside."""
    return " ".join(tag.split()).lower()
