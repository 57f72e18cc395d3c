"""A redirect leads to a login if the part of its target that is new has a word for it."""

import httpx
import pytest

from asgi_cors.cli.doctor.rules.logins import leads_to_login
from tests.cli.corpus.serving import Response, serving
from tests.support.command_line import doctor


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/items", "/login"),
        ("/items", "/accounts/login/?next=/items"),
        ("/items", "/users/sign_in"),
        ("/items", "/Account/LogOn"),
        ("/items", "/Account/Login?ReturnUrl=%2Fitems"),
        ("/items", "/wp-login.php?redirect_to=x"),
        ("/items", "/userlogin"),
        ("/items", "/oauth2/start?rd=/items"),
        ("/items", "https://login.microsoftonline.com/t/oauth2/v2.0/authorize"),
        ("/items", "https://accounts.google.com/o/oauth2/v2/auth?client_id=1"),
        ("/items", "https://sso.example.com/"),
        ("/items", "https://idp.example.com/saml2/idp"),
        ("/items", "https://auth.example.com/?rd=https%3A%2F%2Fapi.example.com"),
        ("/items", "https://id.example.com/realms/tea/protocol/openid-connect/auth"),
        ("/login/items", "/login?next=/login/items"),
        ("/login-first/items", "/login?next=/login-first/items"),
        ("/auth/token", "https://sso.example.com/realms/tea"),
        ("/login/items", "/accounts/login/"),
        ("/login-page/items", "/login-page/login"),
    ],
)
def test_a_login_is_recognised(path: str, location: str):
    assert leads_to_login(httpx.URL(f"https://api.example.com{path}"), location)


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/login", "/login/"),
        ("/api/auth/token", "/api/auth/token/"),
        ("/oauth/authorize", "https://www.example.com/oauth/authorize"),
        ("/v1/auth/items", "/v2/auth/items"),
        ("/lessons", "/lessons/"),
        ("/items", "/authors"),
        ("/items", "/processors"),
        ("/items", "/accounts"),
        ("/items", "/catalogs/blog-index"),
        ("/items", "/items/?next=/login"),
        ("/items", "https://["),
        ("/items", ""),
    ],
)
def test_another_redirect_is_no_login(path: str, location: str):
    assert not leads_to_login(httpx.URL(f"https://api.example.com{path}"), location)


@pytest.mark.parametrize("path", ["/login", "/lessons", "/auth/token"])
def test_a_slash_after_a_path_with_such_a_word_is_named(path: str):
    with serving(lambda _: Response(307, (("Location", f"{path}/"),))) as server:
        ran = doctor({"method": "PUT"}, server.url + path)
    assert ran.json["cause"]["name"] == "preflight-redirected-for-slash"
