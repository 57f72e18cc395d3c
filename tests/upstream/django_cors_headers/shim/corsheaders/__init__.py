"""asgi_cors_django under the name of django-cors-headers, for its own tests."""
