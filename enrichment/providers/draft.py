"""The draft as it is asked of a model, which may do what a text tells it instead of describing the text."""

import re
import unicodedata
from typing import Self

from pydantic import model_validator

from enrichment.prompts import MARK_NAMES, REQUEST, SYSTEM_PROMPT, TAGS_PROMPT
from enrichment.schemas import EnrichmentSchema

# About seven words: longer than what a draft and the prompt have in common by chance.
LONGEST_COMMON_RUN = 32

NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
MARK = re.compile(rf"(?:{'|'.join(MARK_NAMES)})[\W_]{{0,3}}[0-9a-f]{{16}}")


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def bare(text: str) -> str:
    """The letters and digits alone, so that no spacing, case or typography hides what is repeated."""
    return NO_LETTER_OR_DIGIT.sub("", plain(text))


# Weak models answer with the description of a field, too.
DESCRIPTIONS = [str(field.description) for field in EnrichmentSchema.model_fields.values()]
INSTRUCTIONS = tuple(map(bare, (SYSTEM_PROMPT, TAGS_PROMPT, REQUEST, *DESCRIPTIONS)))


def repeats_instructions(text: str) -> bool:
    """Whether a good part of what the model was told, or of a mark, stands in the text."""
    said = bare(text)
    runs = (said[start : start + LONGEST_COMMON_RUN] for start in range(len(said) - LONGEST_COMMON_RUN + 1))
    return MARK.search(plain(text)) is not None or any(run in told for run in runs for told in INSTRUCTIONS)


class Draft(EnrichmentSchema):
    """A draft that describes a text for the person who captured it."""

    @model_validator(mode="after")
    def tells_of_the_text(self) -> Self:
        # Together, because tags are short, and what was asked for may be dealt out over all of them.
        if repeats_instructions(" ".join((self.title, self.summary, *self.tags))):
            raise ValueError("The draft must describe the text. It may not repeat these instructions, or a mark.")
        return self
