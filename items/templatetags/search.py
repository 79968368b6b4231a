"""Tags that mark the words of a search in a page."""

from django import template
from django.utils.safestring import SafeString

from items.search import Search

register = template.Library()


@register.simple_tag
def marked(text: str, search: Search) -> SafeString:
    return search.marked(text)


@register.simple_tag
def excerpt(text: str, search: Search, limit: int) -> SafeString:
    return search.excerpt(text, limit=limit)


@register.filter
def has_word_of(text: str, search: Search) -> bool:
    return search.matches(text)
