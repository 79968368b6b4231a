"""The matrix in Markdown, for docs/errors.md."""

from collections import defaultdict
from collections.abc import Iterator

from tests.enrichment.providers.native.protocol import Ending
from tests.enrichment.providers.native.protocols import PROTOCOLS

DESCRIPTIONS = {
    "ok": "A draft",
    "parts": "A draft in a list of parts",
    "refusal": "A refusal of the model",
    "blocked_prompt": "200: the prompt is blocked",
    "filtered_prompt": "400: the prompt is filtered",
    "moderated": "403: the text is flagged",
    "cut_off": "A draft cut off by the limit of output tokens",
    "rate_limit": "A rate limit with the time to wait, longer than the deadline",
    "quota": "The quota or the credit is used up",
    "wrong_key": "A wrong key",
    "overloaded": "503, or 529",
    "error_in_200": "502 in the body of a 200",
    "failed": "200 with a status of failed",
    "tool_use_failed": "400: the model did not call the tool correctly",
    "empty": "A list of no answers, or an empty answer",
    "other_json": "200 with JSON that is not the provider's",
}


def table() -> str:
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| The provider sends | Provider | The item ends with | Tried again later | Requests |"
    yield "|---|---|---|---|---|"
    for situation, description in DESCRIPTIONS.items():
        groups: dict[Ending, list[str]] = defaultdict(list)
        for protocol in PROTOCOLS:
            if ending := protocol.all_endings().get(situation):
                groups[ending].append(protocol.title)
        largest = max(groups, key=lambda ending: len(groups[ending]))
        for ending, titles in sorted(groups.items(), key=lambda group: group[0] == largest):
            everywhere = "all" if len(groups) == 1 and len(titles) > 1 else "the others"
            names = everywhere if ending == largest and len(titles) > 1 else ", ".join(titles)
            yield f"| {description} | {names} | {_verdict(ending)} |"


def _verdict(ending: Ending) -> str:
    if ending.error is None:
        return f"a draft | no | {ending.requests}"
    later = "yes" if ending.error.is_transient else "no"
    return f"`{ending.error.reason.code}` `{ending.error.reason}` | {later} | {ending.requests}"
