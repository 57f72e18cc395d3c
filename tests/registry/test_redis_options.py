"""The options of a Redis store. No server is needed."""

import importlib.util
import sys

import pytest

redis = pytest.importorskip("redis.asyncio")

import asgi_cors.registry  # noqa: E402
from asgi_cors import ConfigError  # noqa: E402 - it needs redis-py
from asgi_cors.registry import RegistryError, open_registry  # noqa: E402
from asgi_cors.registry.redis import RedisRegistry, RedisStore  # noqa: E402

APP = "https://app.example.com"
URL = "redis://localhost:6379/0"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://127.0.0.1:6380/2", "redis://127.0.0.1:6380/2"),
        ("redis://", "redis://localhost:6379/0"),
        ("redis://user:secret@example.com", "redis://example.com:6379/0"),
        ("rediss://:s%40cret@example.com:6380/1?ssl_cert_reqs=none", "rediss://example.com:6380/1"),
        ("redis://[::1]:6379?db=3", "redis://[::1]:6379/3"),
        ("unix:///run/redis.sock?db=1&password=secret", "unix:///run/redis.sock?db=1"),
        ("unix:///run/a%20%3Fb%25.sock", "unix:///run/a%20%3Fb%25.sock?db=0"),
    ],
)
def test_the_name_of_a_store_is_its_address_without_user_and_password(url, name):
    assert RedisStore(url).name == name


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "must be a URL"),
        (6379, "must be a URL"),
        ("http://example.com", "must begin with redis://"),
        ("example.com:6379", "must begin with redis://"),
        ("redis://:se/cret@example.com", "not encoded"),
        ("redis://:se#cret@example.com", "not encoded"),
        ("redis://:se?cret@example.com", "not encoded"),
        ("redis://:secret@example.com:secret", "the port or an option is invalid"),
        ("redis://:secret@example.com?socket_timeout=secret", "the port or an option is invalid"),
        ("redis://example.com/secret", "the database must be a number"),
        ("redis://example.com?db=secret", "the port or an option is invalid"),
        ("redis://example.com?cret=1", "an option is not known"),
        ("rediss://example.com?ssl_cert_reqs=secret", "an option is invalid"),
        ("unix://", "the path of the socket is missing"),
        ("unix://?db=0", "the path of the socket is missing"),
    ],
)
def test_an_invalid_url_is_refused_without_a_word_of_it(url, message):
    with pytest.raises(ConfigError, match=message) as caught:
        RedisStore(url)
    assert "cret" not in str(caught.value)
    assert "cret" not in repr(caught.value.issues)


def test_the_representation_of_a_registry_has_no_password():
    assert repr(RedisRegistry("redis://user:secret@example.com")) == "RedisRegistry('redis://example.com:6379/0')"
    changed = RedisRegistry("redis://example.com", prefix="{a}:", poll=2)
    assert repr(changed) == "RedisRegistry('redis://example.com:6379/0', prefix='{a}:', poll=2)"


@pytest.mark.parametrize(
    ("registry", "remedy"),
    [
        (RedisRegistry(URL), f"run `asgi-cors origins add {APP} --store {URL}`"),
        (RedisRegistry(URL).tenant("a b"), f"run `asgi-cors origins add {APP} --tenant 'a b' --store {URL}`"),
        (
            RedisRegistry(URL, prefix="{shop}:"),
            f"run `asgi-cors origins add {APP} --store {URL} --prefix '{{shop}}:'`",
        ),
        (RedisRegistry(client=redis.Redis()).tenant("a"), f"add {APP!r} to RedisRegistry({URL!r}).tenant('a')"),
    ],
    ids=["a URL", "a tenant", "a prefix", "a client"],
)
def test_the_correction_of_a_refusal_is_a_command_only_if_the_command_opens_the_same_registry(registry, remedy):
    assert registry.remedy(APP) == remedy


def test_a_url_opens_a_registry():
    assert isinstance(open_registry("redis://example.com"), RedisRegistry)
    assert isinstance(asgi_cors.registry.RedisRegistry("unix:///redis.sock").store, RedisStore)


@pytest.mark.parametrize("prefix", ["", None, b"cors:"])
def test_a_prefix_is_a_text_that_is_not_empty(prefix):
    with pytest.raises(ConfigError, match="prefix"):
        RedisStore("redis://localhost", prefix=prefix)


def test_url_and_client_exclude_each_other():
    with pytest.raises(ConfigError, match="exclude each other"):
        RedisStore("redis://localhost", client=redis.Redis())


def test_a_blocking_client_is_refused():
    with pytest.raises(ConfigError, match=r"Use redis\.asyncio\.Redis"):
        RedisStore(client=pytest.importorskip("redis").Redis())


def test_a_client_that_is_neither_a_client_nor_a_function_is_refused():
    with pytest.raises(ConfigError, match="or a function that returns one"):
        RedisStore(client="redis://localhost")


def test_all_mistakes_are_reported_together():
    with pytest.raises(ConfigError) as caught:
        RedisStore("localhost", prefix="")
    assert [issue.option for issue in caught.value.issues] == ["prefix", "url"]


def make_client():
    """Return no client, by mistake."""
    return "redis://:secret@localhost"


def failover_client():
    """Return a client of Sentinel."""
    return sentinel.Sentinel([("127.0.0.1", 26379)]).master_for("registry")


sentinel = pytest.importorskip("redis.asyncio.sentinel")


@pytest.mark.parametrize(
    ("client", "name"),
    [
        (redis.Redis.from_url("redis://:secret@example.com/1"), "redis://example.com:6379/1"),
        (redis.Redis(unix_socket_path="/run/redis.sock"), "unix:///run/redis.sock?db=0"),
        (failover_client(), "redis (the service 'registry' of Sentinel)/0"),
        (make_client, "redis (client=make_client)"),
    ],
    ids=["TCP", "socket", "Sentinel", "function"],
)
def test_a_store_is_named_after_its_client(client, name):
    assert RedisStore(client=client).name == name


async def test_a_function_that_returns_no_client_is_an_error_of_the_registry():
    with pytest.raises(RegistryError, match=r"the function returned .* must return a redis\.asyncio\.Redis"):
        await RedisStore(client=make_client).status()


async def test_a_function_that_raises_is_an_error_of_the_registry():
    with pytest.raises(RegistryError, match=r"the function raised KeyError\. It must return a client\."):
        await RedisStore(client=lambda: {}["secret"]).status()


def test_a_missing_package_is_reported_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "asgi_cors.registry.redis")
    with pytest.raises(ImportError, match=r"pip install 'asgi-cors-bridge\[redis\]'"):
        importlib.import_module("asgi_cors.registry.redis")
