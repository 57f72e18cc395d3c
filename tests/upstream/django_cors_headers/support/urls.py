"""The paths that the tests of django-cors-headers request."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.home),
    path("async/", views.asynchronous),
    path("unauthorized/", views.unauthorized),
    path("delete-enabled/", views.delete_private_attribute),
]
