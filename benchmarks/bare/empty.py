"""A view that does nothing, at the addresses of the others."""

from django.urls import re_path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Empty(APIView):
    def get(self, _request: Request, **_parts: str) -> Response:
        return Response({})

    def post(self, _request: Request) -> Response:
        return Response({}, status=201)


urlpatterns = [re_path(r"^api/v1/items", Empty.as_view())]
