"""Which language a text seems to be in: by its letters, or else by its most frequent small words."""

import re

from stopwordsiso import stopwords

# In this order: Japanese has Chinese characters too, and Chinese has no kana.
LETTERS = {
    "ja": re.compile(r"[\u3040-\u30ff]"),
    "zh": re.compile(r"[\u4e00-\u9fff]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
}
LATIN = {language: stopwords(language) for language in ("en", "de", "fr", "es")}
MAJORITY = 0.2  # of all letters: a name in another alphabet is no other language
UNKNOWN = "?"


def language_of(text: str) -> str:
    """A guess among the languages of the texts here. `?` where nothing tells."""
    letters = sum(map(str.isalpha, text))
    for language, pattern in LETTERS.items():
        if letters and len(pattern.findall(text)) > letters * MAJORITY:
            return language
    words = re.findall(r"[^\W\d_]+", text.lower())
    hits = {language: sum(word in small for word in words) for language, small in LATIN.items()}
    best = max(hits, key=hits.__getitem__)
    return best if hits[best] else UNKNOWN
