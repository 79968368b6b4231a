"""The draft schema for models. It rejects drafts that repeat the prompt, as weak models do and texts may instruct."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Self

from pydantic import model_validator

from enrichment.prompts import MARK_NAMES, REQUEST, SYSTEM_PROMPT, TAGS_PROMPT
from enrichment.schemas import EnrichmentSchema

# About seven words: longer than any run that a draft and the prompt share by chance.
LONGEST_COMMON_RUN = 32

# A title or tag of so many words is an echo if it stands in the instructions. Shorter ones stand there by chance.
ECHO_MIN_WORDS = 3
ECHO_TAG_MIN_WORDS = 2

WORD = re.compile(r"[^\W_]+")
FIELD_NAME = re.compile(r"(?:(?i:title)|summary|tags|source_type)\s?[:\uff1a=]")
NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
MARK = re.compile(rf"(?:{'|'.join(MARK_NAMES)})[\W_]{{0,3}}[0-9a-f]{{16}}")


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def bare(text: str) -> str:
    """Return only the letters and digits, so that no spacing, case or typography hides a repetition."""
    return NO_LETTER_OR_DIGIT.sub("", plain(text))


def words(text: str) -> str:
    """Return the words with one space between them and around them."""
    return f" {' '.join(WORD.findall(plain(text)))} "


# Weak models repeat the descriptions of fields, too.
DESCRIPTIONS = [field.description for field in EnrichmentSchema.model_fields.values() if field.description]
PROMPTS = (SYSTEM_PROMPT, TAGS_PROMPT, REQUEST, str(EnrichmentSchema.__doc__), *DESCRIPTIONS)
INSTRUCTIONS = tuple(map(bare, PROMPTS))
INSTRUCTION_WORDS = tuple(map(words, PROMPTS))


def repeats_instructions(text: str) -> bool:
    """Return whether the text has a long run of the instructions, or a mark."""
    letters = bare(text)
    runs = (letters[start : start + LONGEST_COMMON_RUN] for start in range(len(letters) - LONGEST_COMMON_RUN + 1))
    return MARK.search(plain(text)) is not None or any(
        run in instruction for run in runs for instruction in INSTRUCTIONS
    )


def is_echo(text: str, *, least_words: int) -> bool:
    """Return whether the text stands as a whole in the instructions, or begins with the name of a field."""
    given = words(text)
    stands_there = any(given in instruction for instruction in INSTRUCTION_WORDS)
    return FIELD_NAME.match(text) is not None or (stands_there and len(given.split()) >= least_words)


class Draft(EnrichmentSchema):
    """A draft that describes a text for the person who captured it."""

    @model_validator(mode="after")
    def reject_instructions(self) -> Self:
        # Together, because a repetition may be spread over the short tags.
        if repeats_instructions(" ".join((self.title, self.summary, *self.tags))):
            raise ValueError("The draft must describe the text. It may not repeat these instructions, or a mark.")
        if echo := next(self._echoes(), None):
            raise ValueError(f"The words {echo!r} are from the instructions. The draft must describe the text.")
        return self

    def _echoes(self) -> Iterator[str]:
        texts = (self.title, self.summary)
        yield from (text for text in texts if is_echo(text, least_words=ECHO_MIN_WORDS))
        # A draft about quotation marks mentions them in its texts.
        described = words(" ".join(texts))
        tags = (tag for tag in self.tags if words(tag) not in described)
        yield from (tag for tag in tags if is_echo(tag, least_words=ECHO_TAG_MIN_WORDS))
