"""Refuse rows that a restore or the page of the item could not use. Only plain SQL could write them."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

DRAFT_FORM = """strict $ ? (
    (@.title.type() == "string" || @.title == null)
    && (@.summary.type() == "string" || @.summary == null)
    && (@.sourceType == "NOTE" || @.sourceType == "ARTICLE" || @.sourceType == null)
    && @.tags.type() == "array" && !exists (@.tags[*] ? (@.type() != "string"))
)"""


def was(status: str) -> models.Q:
    return models.Q(discarded_from=status) | models.Q(redrafted_from=status)


class Migration(migrations.Migration):
    dependencies = [("items", "0018_retries_clear_reasons")]

    operations = [
        # The next migration validates them, because that reads the whole table.
        AddConstraintNotValid(
            "item",
            models.CheckConstraint(
                name="items_restore_has_columns",
                condition=(~was("FAILED") | models.Q(enrichment_error__isnull=False))
                & (
                    ~was("READY_TO_CONFIRM")
                    | models.Q(title__isnull=False, summary__isnull=False, source_type__isnull=False, tags__len__gte=1)
                )
                & (~was("ARCHIVED") | models.Q(confirmed_at__isnull=False)),
            ),
        ),
        AddConstraintNotValid(
            "item",
            models.CheckConstraint(
                name="items_former_draft_form",
                condition=models.Q(
                    models.Func(
                        "former_draft",
                        models.Value(DRAFT_FORM),
                        function="jsonb_path_exists",
                        output_field=models.BooleanField(),
                    )
                ),
            ),
        ),
    ]
