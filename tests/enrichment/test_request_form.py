"""What is left out of a request after a model refused it."""

import pytest

from enrichment.providers.request_form import RequestForm

MODES = ("tools", "json_schema", "json")
REQUEST = {"model": "m", "max_tokens": 64, "temperature": 0.3, "tool_choice": "auto", "tools": []}


def test_new_form_leaves_the_request_as_it_is() -> None:
    form = RequestForm(MODES)

    assert form.mode == "tools"
    assert form.apply(REQUEST) == REQUEST


@pytest.mark.parametrize("parameter", ["temperature", "tool_choice"])
def test_optional_parameter_is_dropped(parameter: str) -> None:
    form = RequestForm(MODES).without(parameter)

    assert form is not None
    assert form.apply(REQUEST) == {name: value for name, value in REQUEST.items() if name != parameter}
    assert form.mode == "tools"
    assert form.without(parameter) is None


def test_limit_of_tokens_is_renamed_but_never_dropped() -> None:
    form = RequestForm(MODES).without("max_tokens")

    assert form is not None
    assert form.apply({"max_tokens": 64}) == {"max_completion_tokens": 64}
    assert form.without("max_completion_tokens") is None
    assert form.without("max_tokens") is None


@pytest.mark.parametrize("parameter", ["tools", "response_format"])
def test_refused_mode_leads_to_the_next_until_the_last(parameter: str) -> None:
    modes = []
    form: RequestForm | None = RequestForm(MODES)
    while form is not None:
        modes.append(form.mode)
        form = form.without(parameter)

    assert modes == list(MODES)


@pytest.mark.parametrize("parameter", ["messages", "model", ""])
def test_necessary_parameter_is_kept(parameter: str) -> None:
    assert RequestForm(MODES).without(parameter) is None


def test_forms_add_up() -> None:
    form: RequestForm | None = RequestForm(MODES)
    for parameter in ("temperature", "max_tokens", "tools", "tool_choice"):
        assert form is not None
        form = form.without(parameter)

    assert form == RequestForm(MODES[1:], frozenset({"temperature", "tool_choice"}), "max_completion_tokens")
