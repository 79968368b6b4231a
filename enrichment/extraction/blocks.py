"""The parts that a text is made of: headings, paragraphs and list entries, whatever its markup."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import dropwhile, zip_longest

from enrichment.extraction.markup import clean, without_marks

SUBJECT_NAMES = frozenset(("subject", "title", "betreff", "objet", "asunto", "oggetto", "assunto", "onderwerp"))
SUBJECT_NAMES |= frozenset(("тема", "θέμα", "الموضوع", "נושא", "विषय", "主题", "主旨", "件名", "제목", "เรื่อง"))
LABEL_MAX_LENGTH = 70
LIST_LINE_LENGTH = 40

FIELD = re.compile(r"([^\W\d_][\w-]{0,30}) ?[:\uff1a] ?(.*)")
MAN_HEADER = re.compile(r"\S.{0,300}\S\(\d\w{0,8}\)")
DEBIAN_RELEASE = re.compile(r"(\S{1,100} \([^()]{1,60}\)) [^;]{1,100}; urgency=.*")
FENCE = re.compile(r" {0,8}(?:```|~~~)")
RULER = re.compile(r"\s*([-=~^*_#\"'.:+])(?: ?\1){2,}\s*")
HEADING = re.compile(r" {0,3}(?:#{1,6}|={1,6}(?:head\d)?|<h[1-6][^<>]{0,100}>|<title>)\s*(?=\S)", re.IGNORECASE)
ENTRY = re.compile(r"\s*(?:[-*+•·‣▪–—]|\d{1,3}[.)]|[a-z]\)|\[[ xX]?\]|[-*] \[[ xX]?\])\s+(?=\S)")  # noqa: RUF001  # dashes are bullets
NOT_PROSE = re.compile(r"\s*(?:\.\. |\[[^\[\]]{1,80}\]: |\||\+[-=]{2}|:\w[\w -]{0,40}:(?:\s|$)|@\w+\s*$| -- .*<)")
SIGNATURE = re.compile(r"--\s?")
SENTENCE_END = (".", "!", "?", "…", "。", "！", "？", "।", "؟", "۔", ",", ";", "、", "，")  # noqa: RUF001  # of their scripts


class Kind(Enum):
    HEADING = auto()
    PROSE = auto()
    ENTRY = auto()


@dataclass(frozen=True, slots=True)
class Block:
    kind: Kind
    text: str


@dataclass(slots=True)
class Document:
    """The blocks in their order. `subject` is what the text calls itself in its header, if it has one."""

    subject: str = ""
    blocks: list[Block] = field(default_factory=list)

    def of(self, *kinds: Kind) -> list[str]:
        return [block.text for block in self.blocks if block.kind in kinds]


def read(text: str) -> Document:
    lines = list(dropwhile(is_blank, clean(text).split("\n")))
    subject, rest = take_header(lines)
    blocks = readable(rest) or readable(lines) or readable(line for line in lines if not FENCE.match(line))
    if not subject and is_manual(lines, blocks):
        subject, blocks = take_manual_name(blocks)
    return Document(subject, blocks)


def readable(lines: Iterable[str]) -> list[Block]:
    return [block for block in Reader().read(list(lines)) if block.text]


def take_header(lines: list[str]) -> tuple[str, list[str]]:
    """Split off the fields of an e-mail, of package metadata or of front matter, if one of them names the text."""
    start = 1 if lines and lines[0].strip() == "---" else 0
    fields: dict[str, str] = {}
    end = start
    while end < len(lines):
        line = lines[end]
        if found := FIELD.fullmatch(line):
            fields.setdefault(found[1].lower(), found[2].strip(" \"'"))
        elif not (fields and line[:1].isspace() and line.strip()):
            break
        end += 1
    subject = without_marks(subject_of(fields))
    return (subject, lines[end:]) if subject else ("", lines)


def subject_of(fields: dict[str, str]) -> str:
    subject = next((value for name, value in fields.items() if name in SUBJECT_NAMES and value), "")
    name = next((fields[field] for field in ("name", "upstream-name", "package") if fields.get(field)), "")
    if subject or not name or len(fields) == 1:
        return subject
    return f"{name}: {fields['summary']}" if fields.get("summary") else name


def is_manual(lines: list[str], blocks: list[Block]) -> bool:
    header = lines[0].strip() if lines else ""
    return MAN_HEADER.fullmatch(header) is not None or (bool(blocks) and blocks[0].text == "NAME")


def take_manual_name(blocks: list[Block]) -> tuple[str, list[Block]]:
    """The NAME section of a manual page, `ls - list directory contents`, in whatever language its heading is."""
    for index, block in enumerate(blocks[:4]):
        if re.search(r" (?:[-–—‐]+|\\-) ", block.text):  # noqa: RUF001  # dashes of all kinds
            return block.text.replace(" \\- ", " - "), blocks[index + 1 :]
    return "", blocks


class Reader:
    """Gathers lines into blocks, one pass over the text."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.kind = Kind.PROSE

    def read(self, lines: list[str]) -> Iterator[Block]:
        is_code = False
        for line, following in zip_longest(lines, lines[1:], fillvalue=""):
            if FENCE.match(line):
                is_code = not is_code
                yield from self.flush()
            elif SIGNATURE.fullmatch(line):
                break
            elif not is_code:
                yield from self.take(line, following)
        yield from self.flush()

    def take(self, line: str, following: str) -> Iterator[Block]:
        if release := DEBIAN_RELEASE.fullmatch(line):
            line = f"# {release[1]}"
        if RULER.fullmatch(line):
            if len(self.lines) == 1 and len(self.lines[0]) <= LABEL_MAX_LENGTH:
                self.kind = Kind.HEADING
            yield from self.flush()
        elif not line.strip() or NOT_PROSE.match(line):
            yield from self.flush(is_followed=True)
        elif heading := HEADING.match(line):
            yield from self.flush()
            yield Block(Kind.HEADING, without_marks(line[heading.end() :].rstrip("#= ")))
        elif entry := ENTRY.match(line):
            yield from self.flush(is_followed=True)
            self.kind, self.lines = Kind.ENTRY, [line[entry.end() :]]
        elif not line[0].isspace() and following[:3].isspace() and following.strip() and is_label(line):
            yield from self.flush()
            yield Block(Kind.HEADING, without_marks(line).rstrip(":\uff1a"))
        else:
            self.lines.append(line.lstrip(" >"))

    def flush(self, *, is_followed: bool = False) -> Iterator[Block]:
        """Give out what was gathered. A short line that stands alone above something is a heading."""
        if not self.lines:
            return
        kind, lines = self.kind, self.lines
        self.kind, self.lines = Kind.PROSE, []
        if kind is Kind.PROSE and is_followed and len(lines) == 1 and is_label(lines[0]):
            kind = Kind.HEADING
        text = without_marks(joined(lines))
        yield Block(kind, text.rstrip(":\uff1a") if kind is Kind.HEADING else text)


def is_blank(line: str) -> bool:
    return not line.strip()


def is_label(line: str) -> bool:
    return len(line) <= LABEL_MAX_LENGTH and not line.rstrip().endswith(SENTENCE_END)


def joined(lines: list[str]) -> str:
    """One line: words that a line break had cut are mended, scripts without spaces get none, short lines are a list."""
    if len(lines) > 1 and all(len(line) <= LIST_LINE_LENGTH and is_label(line) for line in lines):
        return ", ".join(line.strip() for line in lines)
    text = "\n".join(line.strip() for line in lines)
    text = text.replace("\u2010\n", "")
    return re.sub(r"(?<=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef])\n(?=[\u3000-\u30ff\u3400-\u9fff])", "", text)
