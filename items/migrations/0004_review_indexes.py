from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("items", "0003_permissions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="enrichmentattempt",
            name="attempts_newest",
        ),
        migrations.RemoveIndex(
            model_name="item",
            name="items_failed",
        ),
        migrations.AddIndex(
            model_name="enrichmentattempt",
            index=models.Index(
                fields=["-finished_at"],
                include=("prompt_tokens", "completion_tokens", "cost_usd"),
                name="attempts_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(("status", "FAILED")),
                fields=["-created_at", "-id"],
                include=("enrichment_error",),
                name="items_failed",
            ),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(("status", "READY_TO_CONFIRM")),
                fields=["-created_at", "-id"],
                name="items_ready",
            ),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(("status", "DISCARDED")),
                fields=["-created_at", "-id"],
                name="items_discarded",
            ),
        ),
    ]
