"""The pause of enrichment, for staff: of all owners, or of one."""

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.http import Http404
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from items.api import schema
from items.api.forms import body_of
from items.api.serializers import NoFields, PauseParameters, PauseSerializer
from items.api.views import OwnerViewSet
from items.pauses import ALL_OWNERS, MAY_PAUSE, pause_enrichment, resume_enrichment, staff_pause


class MayPause(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_staff) and request.user.has_perm(MAY_PAUSE)


class PauseViewSet(OwnerViewSet):
    permission_classes = (IsAuthenticated, MayPause)
    parameters: ClassVar = dict.fromkeys(("retrieve", "update", "destroy"), PauseParameters)
    http_method_names = ["get", "head", "put", "delete"]  # as its base declares it

    @schema.read_pause
    def retrieve(self, _request: Request) -> Response:
        return self._pause()

    @schema.pause
    def update(self, request: Request) -> Response:
        NoFields(data=body_of(request)).is_valid(raise_exception=True)
        pause_enrichment(self._owner_id())
        return self._pause()

    @schema.resume
    def destroy(self, _request: Request) -> Response:
        resume_enrichment(self._owner_id())
        return self._pause()

    def _owner_id(self) -> int:
        name = self.query.validated_data.get("owner")
        if name is None and "owner" in self.request.query_params:  # a script's empty variable must not mean all
            raise ValidationError({"owner": [ErrorDetail("may not be blank.", code="blank")]})
        if name is None:
            return ALL_OWNERS
        try:
            return User.objects.only("pk").get(username=name).pk
        except User.DoesNotExist:
            raise Http404 from None

    def _pause(self) -> Response:
        pause = staff_pause(self._owner_id())
        shown = {"owner": self.query.validated_data.get("owner"), "paused": pause is not None}
        return Response(PauseSerializer({**shown, "pausedSince": pause and pause.since}).data)
