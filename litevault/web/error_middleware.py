"""Gives every error response the one shape of litevault.web.errors."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string

from litevault.web.errors import Problem, crash, csrf_problem, problem_of

KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


class ErrorMiddleware:
    """Handles the exceptions of views, and replaces the error responses of Django and others.

    That includes Django's debug pages, which show local variables and settings.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST or _is_ours(response):
            return response
        headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        return error_response(request, Problem.known(response.status_code, headers=headers))

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse:
        return error_response(request, problem_of(error) or crash(error))


class ErrorPage(HttpResponse):
    """A small error page for browsers."""


def error_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    if _wants_page(request):
        page = render_to_string("web/error.html", problem.envelope)
        return ErrorPage(page, status=problem.status, headers=dict(problem.headers))
    return JsonResponse(problem.envelope, status=problem.status, headers=dict(problem.headers))


def refuse_csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Respond to a failed CSRF check, as Django's CSRF_FAILURE_VIEW."""
    return error_response(request, csrf_problem(reason))


def _is_ours(response: HttpResponseBase) -> bool:
    """Return whether the response has our shape. Django's own error pages are HTML or plain text."""
    return (
        response.headers.get("Content-Type", "").startswith("application/json")
        or isinstance(response, ErrorPage)
        or getattr(response, "exception", False)  # rendered by REST framework from our envelope
    )


def _wants_page(request: HttpRequest) -> bool:
    return request.get_preferred_type(["application/json", "text/html"]) == "text/html"
