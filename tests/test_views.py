"""A view's own policy, by which adapters serve a framework's routes."""

from typing import Any

import pytest
from support.apps import App
from support.expected import APP, EVIL, OWN, VARY, granted, origin_line
from support.shells import Served

from asgi_cors import ConfigError, Configuration, Policy

ONE: dict[str, Any] = {"allow_origins": APP}
GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
WILD = sorted([OWN, origin_line("*")])


def by_path(scope: Any) -> str | None:
    """A view's key: the last part of its path."""
    return scope["path"].rpartition("/")[2] or None


@pytest.fixture
def configuration() -> Configuration:
    """A configuration of three views, a path and a base."""
    made = Configuration(view_of=by_path, paths={"/path/*": {"allow_origins": EVIL}}, **ONE)
    made.set_view("open", Policy(allow_origins="*"))
    made.set_view("dict", {"allow_methods": "PUT"})
    made.set_view("none", None)
    return made


ROWS = [
    ("a view's own policy", "/open", WILD),
    ("a view's own policy goes before paths", "/path/open", WILD),
    ("a view's None passes through untouched", "/path/none", [OWN]),
    ("a mapping is laid over the base", "/path/dict", GRANT),
    ("a view without a policy is served by its path", "/path/other", STRICT),
    ("a view without a policy or a path is served by the base", "/other", GRANT),
    ("what is no view is served by the base", "/", GRANT),
]


@pytest.mark.parametrize(("path", "lines"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_views(shell: str, configuration: Configuration, path: str, lines: list[str]) -> None:
    """The view decides first."""
    assert Served(shell, App(), configuration).request(path=path, origin=APP).lines == lines


def test_a_preflight_of_a_view(shell: str, configuration: Configuration) -> None:
    """A preflight is answered by the view's policy."""
    served = Served(shell, App(), configuration)
    assert served.preflight("PUT", origin=APP, path="/dict").lines == granted(APP, "GET, HEAD, POST, PUT")


def test_views_go_before_policy_for(shell: str) -> None:
    """A view's own policy goes before policy_for, that before paths, those before the base."""
    asked: list[str] = []

    def policy_for(scope: Any) -> Any:
        asked.append(scope["path"])
        return Policy(allow_origins="*") if scope["path"] == "/for" else NotImplemented

    paths = {"/path": {"allow_origins": EVIL}, "/view": {"allow_origins": EVIL}, "/for": {"allow_origins": EVIL}}
    configuration = Configuration(view_of=by_path, policy_for=policy_for, paths=paths, **ONE)
    configuration.set_view("view", Policy(allow_origins="*"))
    served = Served(shell, App(), configuration)
    lines = {path: served.request(path=path, origin=APP).lines for path in ("/view", "/for", "/path", "/base")}
    assert lines == {"/view": WILD, "/for": WILD, "/path": STRICT, "/base": GRANT}
    assert asked == ["/for", "/path", "/base"]


def test_reconfigure_lays_views_over_the_new_base(shell: str, configuration: Configuration) -> None:
    """A view's mapping is laid over the new base at once; its own Policy stays."""
    served = Served(shell, App(), configuration)
    served.middleware.reconfigure(allow_origins=EVIL)
    assert served.request(path="/dict", origin=EVIL).lines == sorted([OWN, VARY, origin_line(EVIL)])
    assert served.request(path="/open", origin=EVIL).lines == WILD


def test_a_base_that_breaks_a_view(shell: str) -> None:
    """A base under which a view's mapping is no policy makes the whole call raise; the old one stays in force."""
    configuration = Configuration(view_of=by_path, **ONE)
    configuration.set_view("open", {"allow_origins": "*"})
    served = Served(shell, App(), configuration)
    with pytest.raises(ConfigError):
        served.middleware.reconfigure(allow_origins=APP, allow_credentials=True)
    assert served.request(path="/open", origin=EVIL).lines == WILD


@pytest.mark.parametrize("policy", [{"allow_origin": "*"}, {"allow_origins": "a.com"}, 5], ids=str)
def test_a_bad_view(shell: str, configuration: Configuration, policy: Any) -> None:
    """A view's policy that is none is refused in words; what was in force stays so."""
    with pytest.raises(ConfigError):
        configuration.set_view("open", policy)
    assert Served(shell, App(), configuration).request(path="/open", origin=EVIL).lines == WILD


def test_a_view_that_can_not_be_found(shell: str, caplog: pytest.LogCaptureFixture) -> None:
    """Where finding the view raises, the request is refused and the error logged."""
    configuration = Configuration(view_of=lambda scope: scope["nothing"], **ONE)
    configuration.set_view("open", None)
    assert Served(shell, App(), configuration).request(origin=APP).lines == STRICT
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_views_set_together(shell: str, configuration: Configuration) -> None:
    """Several views are set at once, all or none."""
    served = Served(shell, App(), configuration)
    with pytest.raises(ConfigError):
        configuration.set_views({"dict": None, "open": {"allow_origins": "a.com"}})
    assert served.request(path="/dict", origin=APP).lines == GRANT
    configuration.set_views({"dict": None, "open": {"allow_origins": EVIL}})
    assert served.request(path="/dict", origin=APP).lines == [OWN]
    assert served.request(path="/open", origin=APP).lines == STRICT
    assert served.request(path="/none", origin=APP).lines == [OWN]


def test_views_need_to_be_told() -> None:
    """A configuration that is not told how to find a view takes no policy for one."""
    with pytest.raises(TypeError, match="view_of"):
        Configuration(**ONE).set_view("open", None)
