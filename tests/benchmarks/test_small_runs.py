"""The benchmarks that need no package of their own fit the tables and the API as they are now."""

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from benchmarks import growth
from benchmarks.bare.urls import OWNER
from benchmarks.benchmark import Run
from benchmarks.figures import Report
from items.states import Status
from tests.database import database_url
from tests.items.api.client import Api
from tests.items.factories import make_attempt, make_item

OF_LITEVAULT_ONLY = {"usage", "pausedUntil", "pauseReason", "formerDraft"}


@pytest.mark.django_db(transaction=True)
def test_growth_runs_at_its_smallest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "DAY", 50)
    monkeypatch.setattr(growth, "BATCH", 50)
    report = Report("growth", machine={})

    growth.run(Run(database_url(), report, is_full=False, rounds=1))

    assert report.by_measure()


@pytest.mark.django_db
def test_bare_view_shows_the_fields_of_the_api(settings: Settings) -> None:
    owner = User.objects.create_user(OWNER)
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    make_attempt(item)
    paths = ("/items/pending", f"/items/{item.id}")
    ours = [Api(owner).get(path).json() for path in paths]

    settings.ROOT_URLCONF = "benchmarks.bare.urls"
    bare = [Api(owner).get(path).json() for path in paths]

    (listed,), (shown,) = ours[0]["items"], bare[0]["items"]
    assert shown.keys() == listed.keys()
    assert bare[1].keys() == ours[1].keys() - OF_LITEVAULT_ONLY
    assert bare[1]["attempts"][0].keys() == ours[1]["attempts"][0].keys()
