"""The column by which the tags of an item are compared."""

from typing import Any

from django.contrib.postgres.fields import ArrayField

from items.texts import tag_keys


class TagKeysField(ArrayField):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    """Follows the tags whenever an item is saved. NULL if the keys are the tags themselves, as nearly always."""

    def pre_save(self, model_instance: Any, add: bool) -> list[str] | None:
        keys = model_instance.tag_keys = tag_keys(model_instance.tags)
        return keys
