"""The pages on which users change their password, issue and revoke their tokens, and end their sessions."""

from datetime import timedelta
from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from litevault.accounts.logins import limit_failures
from litevault.accounts.models import LONGEST_TOKEN_DAYS, TOKEN_NAME_MAX_LENGTH, ApiToken
from litevault.accounts.own_sessions import end_other_sessions, end_session, sessions_of
from litevault.accounts.passwords import OwnPasswordForm

TOKENS_PER_USER = 100
"""How many valid tokens a user can issue here. Staff and the command may add more, which are then not listed."""


class TokenForm(forms.Form):
    name = forms.CharField(max_length=TOKEN_NAME_MAX_LENGTH)
    days = forms.IntegerField(min_value=1, max_value=LONGEST_TOKEN_DAYS, required=False)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show the user's tokens. POST issues one, and shows its secret in this response only."""
    if request.method != "POST":
        return _account_page(request, TokenForm(initial={"days": settings.TOKEN_DAYS or None}))
    form = TokenForm(request.POST)
    if form.is_valid() and (issued := _issue(_user(request), form)):
        token, secret = issued
        return render(request, "accounts/token.html", {"token": token, "secret": secret})
    return _account_page(request, form)


def _issue(user: User, form: TokenForm) -> tuple[ApiToken, str] | None:
    days = form.cleaned_data["days"]
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # concurrent requests count one after the other
        if ApiToken.objects.valid().filter(user=user).count() >= TOKENS_PER_USER:
            form.add_error(None, f"You have {TOKENS_PER_USER} valid tokens. Revoke one first.")
            return None
        expires_at = timezone.now() + timedelta(days=days) if days else None
        return ApiToken.objects.issue(user=user, name=form.cleaned_data["name"], expires_at=expires_at)


def _account_page(request: HttpRequest, form: TokenForm) -> HttpResponse:
    tokens = ApiToken.objects.valid().filter(user=_user(request))[:TOKENS_PER_USER]
    sessions = sessions_of(_user(request), current_key=request.session.session_key)
    context = {"form": form, "tokens": tokens, "token_days": settings.TOKEN_DAYS, "sessions": sessions}
    return render(request, "accounts/account.html", context)


@login_required
@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    if ApiToken.objects.filter(pk=token_id, user=_user(request)).revoke():
        messages.success(request, "The token is revoked. Requests that use it are refused from now on.")
    return redirect("account")


@login_required
@require_POST
def end_own_session(request: HttpRequest, reference: str) -> HttpResponse:
    if end_session(_user(request), reference):
        messages.success(request, "The session has ended. That browser has to log in again.")
    return redirect("account")


@login_required
@require_POST
def end_own_other_sessions(request: HttpRequest) -> HttpResponse:
    number = end_other_sessions(_user(request), current_key=request.session.session_key)
    messages.success(request, f"{number} other session{'' if number == 1 else 's'} ended.")
    return redirect("account")


def _change_password(request: HttpRequest) -> HttpResponse:
    form = OwnPasswordForm(_user(request), request.POST or None)
    if not form.is_valid():
        return render(request, "accounts/password.html", {"form": form})
    update_session_auth_hash(request, form.save())
    messages.success(request, "The password is changed. Your other sessions have ended.")
    return redirect("account")


change_password = login_required(
    never_cache(
        sensitive_post_parameters()(
            limit_failures(_change_password, name_of=lambda request: _user(request).get_username())
        )
    )
)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
