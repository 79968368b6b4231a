"""The actor of a request, for the audit trail."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from structlog.contextvars import get_contextvars

from items.audit import Actor, Via, acting
from litevault.accounts.models import ApiToken
from litevault.web.traces import current_traceparent

SESSION_HASH_LENGTH = 16


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting(partial(actor_of, request)):
            return self.get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    """Return the user as authenticated by now. REST framework sets `user` and `auth` on Django's request, too."""
    via, credential = _credential(request)
    request_id = get_contextvars().get("request_id", "")
    return Actor(request.user.pk, request.user.get_username(), via, credential, request_id, current_traceparent())


def _credential(request: HttpRequest) -> tuple[Via, str]:
    token = getattr(request, "auth", None)
    if isinstance(token, ApiToken):
        return Via.TOKEN, str(token.pk)
    match = request.resolver_match
    is_admin = match is not None and (match.app_name == "admin" or match.route.startswith("admin/"))
    via = Via.ADMIN if is_admin else Via.SESSION
    key = request.session.session_key
    if key is None:
        return (Via.DEVELOPMENT if request.user.is_authenticated else via), ""
    return via, hash_of_session(key)


def hash_of_session(key: str) -> str:
    """Return what stands for the key, which is as good as a password."""
    return salted_hmac(__name__, key, algorithm="sha256").hexdigest()[:SESSION_HASH_LENGTH]
