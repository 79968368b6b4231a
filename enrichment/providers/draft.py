"""The draft schema for models. It rejects drafts that repeat the prompt, as texts may instruct a model to do."""

import re
import unicodedata
from typing import Self

from pydantic import model_validator

from enrichment.prompts import MARK_NAMES, REQUEST, SYSTEM_PROMPT, TAGS_PROMPT
from enrichment.schemas import EnrichmentSchema

# About seven words: longer than any run that a draft and the prompt share by chance.
LONGEST_COMMON_RUN = 32

NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
MARK = re.compile(rf"(?:{'|'.join(MARK_NAMES)})[\W_]{{0,3}}[0-9a-f]{{16}}")


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def bare(text: str) -> str:
    """Return only the letters and digits, so that no spacing, case or typography hides a repetition."""
    return NO_LETTER_OR_DIGIT.sub("", plain(text))


# Weak models repeat the descriptions of fields, too.
DESCRIPTIONS = [str(field.description) for field in EnrichmentSchema.model_fields.values()]
INSTRUCTIONS = tuple(map(bare, (SYSTEM_PROMPT, TAGS_PROMPT, REQUEST, *DESCRIPTIONS)))


def repeats_instructions(text: str) -> bool:
    """Return whether the text has a long run of the instructions, or a mark."""
    letters = bare(text)
    runs = (letters[start : start + LONGEST_COMMON_RUN] for start in range(len(letters) - LONGEST_COMMON_RUN + 1))
    return MARK.search(plain(text)) is not None or any(
        run in instruction for run in runs for instruction in INSTRUCTIONS
    )


class Draft(EnrichmentSchema):
    """A draft that describes a text for the person who captured it."""

    @model_validator(mode="after")
    def reject_instructions(self) -> Self:
        # Together, because a repetition may be spread over the short tags.
        if repeats_instructions(" ".join((self.title, self.summary, *self.tags))):
            raise ValueError("The draft must describe the text. It may not repeat these instructions, or a mark.")
        return self
