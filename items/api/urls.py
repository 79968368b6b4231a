from django.urls import path

from items.api.views import ItemViewSet, TagViewSet

urlpatterns = [
    path("items", ItemViewSet.as_view({"get": "list", "post": "create"}), name="items"),
    path("items/pending", ItemViewSet.as_view({"get": "pending"}), name="pending-items"),
    path("items/retry", ItemViewSet.as_view({"post": "retry_all"}), name="retry-items"),
    path("items/<str:item_id>", ItemViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="item"),
    path("items/<str:item_id>/retry", ItemViewSet.as_view({"post": "retry"}), name="retry-item"),
    path("items/<str:item_id>/redraft", ItemViewSet.as_view({"post": "redraft"}), name="redraft-item"),
    path("items/<str:item_id>/restore", ItemViewSet.as_view({"post": "restore"}), name="restore-item"),
    path("tags", TagViewSet.as_view({"get": "list"}), name="tags"),
]
