"""Pauses and resumes enrichment."""

from argparse import ArgumentParser
from typing import Any

from django.db import connection

from items.management.command import ProjectCommand
from items.models.enrichment_pause import PauseReason
from items.pauses import ALL_OWNERS, Pauses, pause_enrichment, read_pauses, resume_enrichment, staff_pause
from items.transfer.owners import get_owner


class Command(ProjectCommand):
    help = (
        "Pause enrichment for all owners or for one, resume it, or show whether it is paused. While it is paused, "
        "texts are captured and wait, and no model is called. Calls in flight finish. It takes effect at once in all "
        "listeners."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "action",
            choices=("pause", "resume", "status"),
            metavar="ACTION",
            help="pause, resume, or status, which shows whether it is paused",
        )
        parser.add_argument("--owner", metavar="USER", help="only this user; without it, all owners")

    def handle(self, *_args: Any, action: str, owner: str | None, **options: Any) -> None:
        owner_id = ALL_OWNERS if owner is None else get_owner(owner).pk
        if action == "pause":
            pause_enrichment(owner_id)
        elif action == "resume":
            resume_enrichment(owner_id)
        pause = staff_pause(owner_id)
        staff = read_pauses(connection)[PauseReason.STAFF]
        name = owner or "all owners"
        since = f" since {pause.since:%Y-%m-%d %H:%M} UTC" if pause else ""
        self.report(
            [f"Enrichment is {'paused' if pause else 'not paused'} for {name}{since}.{_others(owner, staff)}"],
            is_asked_for=action == "status",
            owner=owner,
            paused=pause is not None,
            pausedSince=pause and pause.since.isoformat(),
            allPaused=bool(staff.of_all),
            pausedOwners=staff.of_owners,
        )


def _others(owner: str | None, staff: Pauses) -> str:
    """Name the other pauses: those of all and of single owners do not end each other."""
    if owner:
        return " It is paused for all owners." if staff.of_all else ""
    return f" Paused individually: {Pauses(of_owners=staff.of_owners).owners}." if staff.of_owners else ""
