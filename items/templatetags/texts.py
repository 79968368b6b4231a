"""Template filters for texts of users."""

from django import template

from items.texts import cut

register = template.Library()
register.filter("shortened", cut)
