"""Whether a policy is that of a Django project's settings."""

import sys

from asgi_cors import Policy
from asgi_cors.cli.apps.settings import is_in_settings


def test_no_policy_is_in_the_settings_if_the_adapter_of_django_is_not_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "asgi_cors_django", raising=False)
    assert not is_in_settings(Policy(allow_origins="https://app.example.com"))
