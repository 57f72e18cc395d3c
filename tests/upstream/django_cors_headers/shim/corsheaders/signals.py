"""Our signal, where the tests of django-cors-headers import it from."""

from asgi_cors_django.signals import check_request_enabled

__all__ = ["check_request_enabled"]
