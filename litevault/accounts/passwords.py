"""The forms that change a password, and offer to revoke the user's tokens."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.db import transaction

from litevault.accounts.models import ApiToken


class RevokingForm(forms.Form):
    revoke_tokens = forms.BooleanField(
        required=False,
        label="Also revoke all API tokens",
        help_text="Programs that use revoked tokens are refused at once.",
    )

    def save(self, *args: Any, **kwargs: Any) -> User:
        with transaction.atomic():
            user: User = super().save(*args, **kwargs)  # type: ignore[misc]  # of Django's form beside this one
            if self.cleaned_data["revoke_tokens"]:
                ApiToken.objects.filter(user=user).revoke()
        return user


class OwnPasswordForm(RevokingForm, PasswordChangeForm):
    """Requires the old password."""


class UserPasswordForm(RevokingForm, AdminPasswordChangeForm):  # type: ignore[type-arg]  # Django's takes none
    """For the password of another user, in the admin."""
