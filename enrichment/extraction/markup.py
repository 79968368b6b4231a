"""From marked-up text to the words that a reader would see.

Every pattern here runs in linear time: what it repeats never contains the character that it starts with,
or is bounded. A text of ten thousand brackets is as quick as a letter.
"""

import html
import re

ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
OVERSTRIKE = re.compile(r".\x08")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ud800-\udfff]")

URL = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"'`()\[\]{}|]{1,2000}", re.IGNORECASE)

TAG_NAMES = (
    "a|abbr|article|b|blockquote|body|br|center|code|dd|details|div|dl|dt|em|font|footer|h[1-6]|head|header|hr|html|i|"
    "img|kbd|li|link|main|meta|nav|ol|p|picture|pre|section|small|source|span|strong|sub|summary|sup|table|tbody|td|"
    "th|thead|title|tr|tt|u|ul|video"
)
INLINE_MARKS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (rf"(?i)</?(?:{TAG_NAMES})(?:\s[^<>]{{0,1000}})?/?>", ""),
        (r"<((?:https?|mailto):[^<>\s]{1,500})>", r"\1"),
        (r"!\[[^\[\]]{0,300}\](?:\([^()]{0,1000}\)|\[[^\[\]]{0,200}\])", ""),
        (r"\[([^\[\]]{0,300})\] ?(?:\([^()]{0,1000}\)|\[[^\[\]]{0,200}\])", r"\1"),
        (r":[a-z:]{2,30}:(?=`)", ""),
        (r"`([^`<>]{1,300}) <[^`<>]{1,500}>`_{0,2}", r"\1"),
        (r"`_{0,2}", ""),
        (r"\\([\[\]<>*_`#])", r"\1"),
        (r"(?<![\w*])\*{1,3}(?=[^\s*])([^*]{1,400})(?<=\S)\*{1,3}(?![\w*])", r"\1"),
        (r"(?<!\w)_(?=[^\s_])([^_]{1,400})(?<=\S)_(?!\w)", r"\1"),
        (r"\|[A-Za-z][\w -]{0,40}\|", ""),
    )
)


HTML_HEADING = re.compile(r"<(?:h[1-6]|title)(?: [^<>]{0,300})?>", re.IGNORECASE)
HTML_BREAK = re.compile(
    r"<(?:!doctype|/?(?:body|br|div|h[1-6]|head|html|li|ol|p|section|table|title|tr|ul))(?: [^<>]{0,300})?/?>",
    re.IGNORECASE,
)
MARKED = re.compile(r"[<>\[\]`*_|&:]")


def clean(text: str) -> str:
    """The same lines without terminal codes, overstrikes, invisible characters and comments."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = OVERSTRIKE.sub("", ESCAPE_SEQUENCE.sub("", text))
    text = without_comments(CONTROL.sub("", text.expandtabs(4)))
    return HTML_BREAK.sub("\n", HTML_HEADING.sub("\n\n# ", text)) if "</" in text else text


def without_comments(text: str) -> str:
    head, *rest = text.split("<!--")
    return head + "".join(part.partition("-->")[2] if "-->" in part else part for part in rest)


def without_marks(text: str) -> str:
    """Markdown, reStructuredText and HTML reduced to what they show."""
    if MARKED.search(text):
        for pattern, replacement in INLINE_MARKS:
            text = pattern.sub(replacement, text)
        text = html.unescape(text)
    return " ".join(text.split())


def without_urls(text: str) -> str:
    return " ".join(URL.sub(" ", text).split())


def url_words(url: str) -> str:
    """What a bare address says about its page: `https://a.org/how-to-brew` becomes `how to brew (a.org)`."""
    host, _, path = re.sub(r"(?i)^(?:https?://)?(?:www\.)?", "", url).partition("/")
    path = re.split(r"[?#]", path, maxsplit=1)[0].rstrip("/")
    segments = [segment for segment in path.split("/") if re.search(r"[^\W\d_]{3}", segment)]
    last = re.sub(r"\.\w{1,5}$", "", segments[-1]) if segments else ""
    words = " ".join(re.split(r"[-_+.]|%20", last)).strip()
    host = re.split(r"[?#:]", host, maxsplit=1)[0]
    return f"{words} ({host})" if words and host else words or host
