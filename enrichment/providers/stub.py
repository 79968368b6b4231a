"""The provider that needs no key and no network: it drafts from the text's own words."""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from email.headerregistry import HeaderRegistry
from itertools import groupby, islice, takewhile

from stopwordsiso import langs, stopwords

from enrichment.providers.base import EnrichmentProvider
from enrichment.schemas import EnrichmentResult, EnrichmentSchema, Usage, one_line
from enrichment.spelling import distinct
from enrichment.tidying import without_quotes
from items.states import SourceType
from items.texts import ESCAPE_SEQUENCE, SUMMARY_MAX_LENGTH, TITLE_MAX_LENGTH

TAGS_WITHOUT_WORDS, ARTICLE_LENGTH, ARTICLE_PARAGRAPHS = ("note", "text", "short"), 1200, 3
LONG_LINE = 50  # probably wrapped: the sentence goes on in the next line
READ_LENGTH, LONGEST_LINE, TAGS_COMPARED, LONGEST_WORD = 4_000, 2_000, 50, 30

URL = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"'`()\[\]{}|]+", re.IGNORECASE)
# Each pattern takes linear time: it is bounded, or ends where it may begin again, or cannot fail once it has begun.
MARKUP = (
    (r".\x08|\{(?:\{[^{}\n]*\}|[%#][^{}\n]*[%#])\}", ""),  # overstrikes of a terminal, tags of templates
    (r"(?s:<!--.*?(?:-->|\Z)|<(script|style)\b[^<>]*>.*?(?:</\1>|\Z))", ""),
    (r"(?s:^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z))", "\n"),
    (r"</?(?:a|abbr|b|code|em|font|i|kbd|small|span|strong|su[bp]|tt|u|var)(?: [^<>]*)?>", ""),
    (r"^(?:--[\w'+=./:-]{6,}$|(?:content-[a-z-]+|mime-version|message-id|received):.*(?:\n[ \t]+\S.*)*)", "\n"),
    (r"</?[a-z!?][^<>]*>", "\n\n"),
    (r"^\.(?:[BI]|[BIR][BIR]|N[dm])[ \t]+", ""),  # man pages: fonts, then requests, then escapes
    (r"^(?:\.[a-z]{1,2}\d?(?:[ \t].*)?|[.']\\[\"#].*|\.)$", "\n"),
    (r"\\(?:f(?:\(..|\[[^]\n]{0,9}\]|.)|[&|^:%/,]|s[-+]?\d|\*?(?:\(..|\[[^]\n]{0,9}\])|(?=[-.*_#`\[\]<>]))", ""),
    (r"^[ \t]*(?:\.\. .*|:[\w -]{1,40}:(?:[ \t].*)?|\[[^][\n]{1,80}\]:.*|#!.*)$", "\n"),
    (r"!\[[^][]{0,300}\](?:\([^()]{0,1000}\)|\[[^][]{0,200}\])|:[a-z:]{2,30}:(?=`)| <[^<>\s]{1,500}>(?=`_)", ""),
    (r"\[([^][]{0,300})\](?:\([^()]{0,1000}\)|\[[^][]{0,200}\])", r"\1"),
    (URL.pattern, ""),
    (r"^[ \t>]*(?:#{2,6}|=head\d|[-*+•]|\d{1,3}[.)])[ \t]+(?:\[[ x]\][ \t]+)?", "\n"),
    (r"^[ \t]*(?:#|//|/\*+|\*+/?|--|;+|%+|>+|\[[ x]\])[ \t]*", ""),
    (r"[=~*#_+-]{4,}|(?<!\w)[*_`~]{1,3}|[*_`~]{1,3}(?!\w)|\"{3}", ""),
    (r"\|", "   "),
)
FIELD = re.compile(r"([^\W\d_][\w-]{0,30}) ?[:\uff1a][ \t]*(.*)")
SUBJECTS = {"subject", "title", "betreff", "objet", "asunto", "тема", "件名", "主题", "제목", "name", "package"}
# Lines without letters, headings such as NAME, tables, page headers, legal lines.
EMPTY = re.compile(r"^[\W\d_]*$|^[A-Z]+$|\S {3,}\S|^(?i:copyright|©|\(c\)|spdx)")
LETTER, CODE = re.compile(r"[^\W\d_]"), re.compile(r"[{}\]=<>\\$]|--")
SENTENCE_END = re.compile(r"(?<=[\w)\]\"'”»]{2}[.!?…])\s+|(?<=[。\uff01\uff1f।؟\u06d4])\s*")
SENTENCE = re.compile(r"(?s).*[.!?…。\uff01\uff1f।؟\u06d4][)\"'”»]*")
BETWEEN_WIDE = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")
STOP_WORDS = {language: frozenset(stopwords(language)) for language in langs()}
# Vowel signs and accents, which \w does not match.
MARKS = "".join(mark for mark in map(chr, range(0x300, 0x1B00)) if unicodedata.category(mark).startswith("M"))
HAN, SYLLABIC = "\u3005\u3400-\u9fff", "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
PARTICLES = "".join(word for word in STOP_WORDS["zh"] if len(word) == 1 and word.isalpha())
OTHER = rf"[^\W\d_{HAN}{SYLLABIC}\u3040-\u30ff]"
WORD = re.compile(
    rf"(?P<han>(?:[{HAN}](?<![{PARTICLES}])){{2,}})|(?P<syllabic>[{SYLLABIC}]{{4,}})|[\u30a1-\u30fa\u30fc]{{2,}}"
    rf"|(?<![a-z\d_]){OTHER}(?:{OTHER}|[{MARKS}]|['\u2019\u200c-](?={OTHER}))*"
)
# In scripts without spaces, recurring pieces of these lengths count as words.
PIECE_LENGTHS = {"han": (4, 3, 2), "syllabic": (5, 4, 3)}
LETTER_WITH_MARKS = re.compile(f".[{MARKS}]*")
KOREAN_PARTICLE = re.compile("(?<=[가-힣]{2})(?:에서|으로|까지|[은는이가을를에의로와과도만])$")


class StubProvider(EnrichmentProvider):
    """Deterministic and offline: the same text always gets the same draft."""

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        del vocabulary  # the tags come from the text
        return draft(text).result(Usage(model="stub"))


def draft(text: str) -> EnrichmentSchema:
    subject, body = split_header(ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n"))
    rest = re.sub(r"<[^<>]*>|\{[{%][^{}\n]*\}+|https?://(?:www\.)?|[?#]\S*", "", body)
    blocks = blocks_of(body) or [[subject or " ".join(re.split(r"[\W_]+", rest))]]
    lines = (line[:LONGEST_LINE] for line in (subject, title_of(blocks[0]), rest, "Untitled"))
    title = next(filter(None, (without_quotes(one_line(line, limit=TITLE_MAX_LENGTH)) for line in lines)))
    is_article = URL.search(text) or (len(text) >= ARTICLE_LENGTH and len(blocks) >= ARTICLE_PARAGRAPHS)
    return EnrichmentSchema(
        title=title,
        summary=one_line(summary_of(blocks, title=title)[:LONGEST_LINE], limit=SUMMARY_MAX_LENGTH) or title,
        tags=tags_of("\n".join((subject, *map(joined, blocks)))),
        source_type=SourceType.ARTICLE if is_article else SourceType.NOTE,
    )


def split_header(text: str) -> tuple[str, str]:
    """Split off the fields of an e-mail, or of package metadata or front matter if one of them names the text."""
    lines = text.lstrip("\ufeff-\n ").split("\n")
    header = list(takewhile(lambda line: FIELD.match(line) or line.startswith((" ", "\t", "From ")), lines))
    fields = [(field[1].lower(), field[2]) for field in map(FIELD.match, header) if field]
    subject = next((value for name, value in fields if name in SUBJECTS and LETTER.search(value)), "")
    if len(fields) > 1 and (subject or (any(lines[len(header) :]) and {"from", "received"} & dict(fields).keys())):
        return HeaderRegistry()("subject", subject[:LONGEST_LINE]).strip("\"'"), "\n".join(lines[len(header) :])
    return "", re.sub(r"(?ms)\A[.'].*?^(?=\.(?:TH|Dd) )", "", text)  # before the title of a man page are its macros


def blocks_of(text: str) -> list[list[str]]:
    """Split a text into paragraphs, headings and list entries without their markup, each as its lines."""
    for pattern, replacement in MARKUP:
        text = re.sub(pattern, replacement, text[:READ_LENGTH], flags=re.IGNORECASE | re.MULTILINE)
    lines = map(str.strip, html.unescape(text).split("\n"))
    return [list(group) for is_text, group in groupby(lines, key=lambda line: not EMPTY.search(line)) if is_text]


def joined(lines: Iterable[str]) -> str:
    return BETWEEN_WIDE.sub("", " ".join(" ".join(lines).split()))


def title_of(block: list[str]) -> str:
    first = block[:1] if len(block[0]) < LONG_LINE else block
    return SENTENCE_END.split(joined(first))[0].rstrip(" .。:")


def summary_of(blocks: list[list[str]], *, title: str) -> str:
    """Return the first three sentences after the title, or else one block after another."""
    texts = [joined(blocks[0]).removeprefix(title).lstrip(" .。:"), *map(joined, blocks[1:])]
    sentences = (sentence for text in texts for sentence in SENTENCE_END.split(text))
    prose = (sentence for sentence in sentences if SENTENCE.fullmatch(sentence) and not CODE.search(sentence))
    return joined(islice(prose, 3)) or " · ".join(filter(None, texts))


def tags_of(text: str) -> list[str]:
    """Return the most frequent words without the stop words of the languages that the text seems to be in."""
    counts = Counter(words_of(text.lower().replace("i\u0307", "i")))
    there = set(counts)
    hits = {language: sum(counts[word] for word in words & there) for language, words in STOP_WORDS.items()}
    most = max(hits.values())
    stop_words = {word for language in hits if 2 * hits[language] > most for word in STOP_WORDS[language] & there}
    chosen: list[str] = []
    for word in islice(distinct(word for word, _ in counts.most_common() if word not in stop_words), TAGS_COMPARED):
        if word < SYLLABIC[0] or not any(word[:2] in other or word[-2:] in other for other in chosen):
            chosen.append(word)
    return chosen if len(chosen) >= len(TAGS_WITHOUT_WORDS) else [*chosen, *TAGS_WITHOUT_WORDS]


def words_of(text: str) -> Iterator[str]:
    for found in WORD.finditer(text):
        word = found[0] if found[0].isascii() else KOREAN_PARTICLE.sub("", found[0])
        if found.lastgroup:
            letters = LETTER_WITH_MARKS.findall(word)
            for length in PIECE_LENGTHS[found.lastgroup]:
                yield from map("".join, zip(*(letters[start:] for start in range(length)), strict=False))
        elif 2 + word.isascii() <= len(word) <= LONGEST_WORD:
            yield word
