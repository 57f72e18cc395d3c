"""A Host whose port isn't a number names another host in the URLs that an app builds from it."""

import pytest

from tests.support.expected import APP

HOSTS = ["api.example.com", "localhost:*", "example.net:8443"]


@pytest.mark.parametrize(
    "host",
    [
        "api.example.com:@attacker.example",
        "api.example.com:80@attacker.example",
        "api.example.com:80/attacker",
        "api.example.com:x",
        "api.example.com:+80",
        "api.example.com:123456",
        "localhost:@attacker.example",
        "localhost:\xb2",
        "example.net:8443@attacker.example",
    ],
)
def test_a_host_whose_port_is_not_a_number_is_refused(serve, host):
    client = serve(allow_origins=APP, allowed_hosts=HOSTS)
    assert client.request(headers=[("host", host)]).status == 421
    assert client.reached == 0


@pytest.mark.parametrize("host", ["api.example.com", "api.example.com:", "api.example.com:80", "localhost:65535"])
def test_an_allowed_host_passes_with_any_port_of_its_entry(serve, host):
    client = serve(allow_origins=APP, allowed_hosts=HOSTS)
    assert client.request(headers=[("host", host)]).status == 200
    assert client.reached == 1
