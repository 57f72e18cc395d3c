"""The behaviour of the three tests that releases after 4.1.0 changed or added: credentials for a named origin."""

from django.test import SimpleTestCase
from django.test.utils import override_settings

PAGE, OTHER = "https://example.com", "https://example.org"
HEADER = "access-control-allow-credentials"


class CredentialsTests(SimpleTestCase):
    @override_settings(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ALLOW_CREDENTIALS=True)
    def test_an_allowed_origin_may_send_credentials(self):
        assert self.client.get("/", HTTP_ORIGIN=PAGE)[HEADER] == "true"

    @override_settings(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ALLOW_CREDENTIALS=True)
    def test_another_origin_may_not(self):
        assert HEADER not in self.client.get("/", HTTP_ORIGIN=OTHER)

    @override_settings(CORS_ALLOWED_ORIGINS=[PAGE])
    def test_without_the_setting_no_origin_may(self):
        assert HEADER not in self.client.get("/", HTTP_ORIGIN=PAGE)
