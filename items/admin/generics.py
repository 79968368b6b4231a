"""Django's classes, of items. Without a patch that only development installs, they take no parameter at run time."""

from typing import TYPE_CHECKING

from django.contrib.admin import ModelAdmin
from django.core.paginator import Paginator
from django.forms import ModelForm

from items.models import Item

if TYPE_CHECKING:
    ItemModelAdmin = ModelAdmin[Item]
    ItemModelForm = ModelForm[Item]
    ItemPaginator = Paginator[Item]
else:
    ItemModelAdmin = ModelAdmin
    ItemModelForm = ModelForm
    ItemPaginator = Paginator
