"""The first page of the admin: is work being done, how fast, what fails, and what does it cost?"""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from items.admin.overview import Overview


def front_page(request: HttpRequest) -> HttpResponse:
    """The index of the admin, with the overview for those who may see items."""
    if not request.user.has_perm("items.view_item"):
        return admin.site.index(request)
    return admin.site.index(request, {"overview": Overview.taken()})
