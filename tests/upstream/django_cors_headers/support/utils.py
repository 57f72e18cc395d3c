"""The helpers that the tests of django-cors-headers import, under its names."""

from contextlib import contextmanager

from django.test.utils import modify_settings

from asgi_cors_django import check_request_enabled


def prepend_middleware(path):
    return modify_settings(MIDDLEWARE={"prepend": path})


@contextmanager
def temporary_check_request_hander(handler):  # spelled as in the tests
    check_request_enabled.connect(handler)
    try:
        yield
    finally:
        check_request_enabled.disconnect(handler)
