"""Find the encoding of a file: its byte order mark, UTF-8, or what charset-normalizer is sure of."""

import codecs
import re

from charset_normalizer import from_bytes

UTF_8 = "utf-8-sig"
# The mark of UTF-32 LE begins with the mark of UTF-16 LE.
MARKS = {
    codecs.BOM_UTF8: UTF_8,
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
NOT_ASCII = re.compile("[^\x00-\x7f]")
DAMAGED = re.compile("[\udc80-\udcff]")
WESTERN = "windows-1252"
CANDIDATES = (
    *(WESTERN, "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1256", "iso-8859-2", "koi8-r"),
    *("ibm866", "ibm850", "mac-roman", "shift-jis", "euc-jp", "gb18030", "big5", "euc-kr"),
)
GUESS_BYTES = 16 * 1024
CONTEXT_BYTES = 4 * 1024
COHERENCE_MIN = 0.5
# Less than this between two readings of the same bytes, and either may be the right one.
LEAD_MIN = 0.2
# In Windows-1252 these are quotes inside words, or letters of Icelandic; in Turkish, DOS and Mac encodings, letters.
NOT_WESTERN = re.compile(
    rb"[\xd0\xdd\xde\xf0\xfd\xfe\x81-\x84\x86-\x90\x98\x9a-\x9f]|[a-z][\x80\x85\x91\x93-\x95\x99][a-z]"
)


def marked_encoding(beginning: bytes) -> str | None:
    return next((name for mark, name in MARKS.items() if beginning.startswith(mark)), None)


def is_utf_8(sample: bytes) -> bool:
    """Return whether this is UTF-8, or UTF-8 with damaged places. The sample may end within a character."""
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(sample)
    damaged = len(DAMAGED.findall(text))
    return damaged <= len(NOT_ASCII.findall(text)) - damaged


def guessed_encoding(sample: bytes) -> str | None:
    """Return the encoding in which the sample reads as a language, or None if no reading is clearly the best.

    Western European texts read alike in many encodings. Nearly all of them are in Windows-1252.
    """
    first = next(place for place, byte in enumerate(sample) if not chr(byte).isascii())
    sample = sample[max(0, first - CONTEXT_BYTES) :][:GUESS_BYTES]
    scores: dict[str, float] = {}
    names: dict[str, str] = {}
    for candidate in CANDIDATES:
        if match := from_bytes(sample, cp_isolation=[candidate]).best():
            scores.setdefault(str(match), match.coherence - match.chaos)
            names.setdefault(str(match), candidate)
    first_text, *others = sorted(scores, key=lambda text: scores[text], reverse=True) or [""]
    lead = scores.get(first_text, 0) - max((scores[text] for text in others), default=0)
    is_western = names.get(first_text) == WESTERN and not NOT_WESTERN.search(sample)
    if scores.get(first_text, 0) < COHERENCE_MIN or (lead < LEAD_MIN and not is_western):
        return None
    return names[first_text]
