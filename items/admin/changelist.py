"""The rows of the list."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.views.main import ChangeList
from django.db.models import Prefetch
from django.http import HttpRequest

from items.admin.permissions import permitted_actions
from items.admin.verbs import BACK_TO_LIST
from items.models import EnrichmentAttempt


class ItemChangeList(ChangeList):
    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """A page leaves the long texts in the database, and fetches its attempts in one query."""
        super().get_results(request)
        numbers = Prefetch("attempts", EnrichmentAttempt.objects.only("item"))
        self.result_list = self.result_list.defer("raw_text", "summary").prefetch_related(numbers)
        query = "&".join(filter(None, (urlencode(BACK_TO_LIST), self.model_admin.get_preserved_filters(request))))
        for item in self.result_list:
            # What its buttons need: items.admin.rows.
            item.permitted = permitted_actions(request, item)
            item.query = query
