"""The mistakes that our system check reports, with the ids of django-cors-headers for the same settings."""

from django.conf import settings
from django.core.checks import Error, run_checks

IDS = {
    "CORS_ALLOW_HEADERS": "corsheaders.E001",
    "CORS_ALLOW_METHODS": "corsheaders.E002",
    "CORS_ALLOW_CREDENTIALS": "corsheaders.E003",
    "CORS_PREFLIGHT_MAX_AGE": "corsheaders.E004",
    "CORS_ALLOW_ALL_ORIGINS": "corsheaders.E005",
    "CORS_ORIGIN_ALLOW_ALL": "corsheaders.E005",
    "CORS_ALLOWED_ORIGINS": "corsheaders.E006",
    "CORS_ORIGIN_WHITELIST": "corsheaders.E006",
    "CORS_ALLOWED_ORIGIN_REGEXES": "corsheaders.E007",
    "CORS_ORIGIN_REGEX_WHITELIST": "corsheaders.E007",
    "CORS_EXPOSE_HEADERS": "corsheaders.E008",
    "CORS_URLS_REGEX": "corsheaders.E009",
    "CORS_ALLOW_PRIVATE_NETWORK": "corsheaders.E015",
}


def check_settings():
    """Return the errors of our check. The object of each is the setting, as the project names it."""
    errors = [message for message in run_checks(tags=["security"]) if isinstance(message, Error)]
    assert all(hasattr(settings, error.obj) for error in errors)
    return [Error(f"{error.obj} {error.msg}", id=IDS[error.obj]) for error in errors]
