"""The settings of the project in which the tests of django-cors-headers run, with our middleware."""

SECRET_KEY = "only-for-tests"  # noqa: S105 - not a secret
ALLOWED_HOSTS = ["*"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["asgi_cors_django"]
MIDDLEWARE = ["asgi_cors_django.middleware.CORSMiddleware"]
ROOT_URLCONF = "tests.urls"
USE_TZ = True
