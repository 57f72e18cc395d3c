"""Tornado with set_default_headers."""

from typing import Any

from tornado.routing import PathMatches, Rule, RuleRouter
from tornado.web import Application, HTTPError, RequestHandler, authenticated

from tests.cli.corpus.raw import ACAC, ACAH, ACAM, ACAO, PAGE


class Items(RequestHandler):
    """The handler that every set-up changes."""

    def get(self) -> None:
        self.write({"name": "Ann"})

    def put(self) -> None:
        self.write({"name": "Ann"})


class Star(Items):
    """`*`, as many answers advise, with an options() that has no list of methods."""

    def set_default_headers(self) -> None:
        self.set_header(ACAO, "*")
        self.set_header(ACAH, "x-requested-with")

    def options(self) -> None:
        self.set_status(204)


class NoOptions(Items):
    """The headers, without options()."""

    def set_default_headers(self) -> None:
        self.set_header(ACAO, PAGE)
        self.set_header(ACAM, "GET, PUT")


class Twice(Items):
    """The header is added by the base class and by the handler."""

    def set_default_headers(self) -> None:
        self.add_header(ACAO, "*")

    def get(self) -> None:
        self.add_header(ACAO, PAGE)
        self.write({"name": "Ann"})


class Guarded(NoOptions):
    """prepare() checks a token, also of OPTIONS."""

    def prepare(self) -> None:
        if "Authorization" not in self.request.headers:
            raise HTTPError(401)

    def options(self) -> None:
        self.set_status(204)


class Private(Items):
    """@authenticated redirects to the login page, which has no headers."""

    def set_default_headers(self) -> None:
        self.set_header(ACAO, PAGE)
        self.set_header(ACAC, "true")

    def get_current_user(self) -> Any:
        return self.get_signed_cookie("user")

    @authenticated
    def get(self) -> None:
        self.write({"name": "Ann"})


class Login(RequestHandler):
    """The login page."""

    def get(self) -> None:
        self.write("<form>")


class Echo(Items):
    """Every origin is sent back, with credentials."""

    def set_default_headers(self) -> None:
        self.set_header(ACAO, self.request.headers.get("Origin", "*"))
        self.set_header(ACAC, "true")


class InGet(Items):
    """The header is set at the end of get(), after the code that fails."""

    def get(self) -> None:
        self.write({"name": {}["Ann"]})
        self.set_header(ACAO, PAGE)


class Well(Items):
    """A list, with Vary."""

    def set_default_headers(self) -> None:
        self.set_header("Vary", "Origin")
        if self.request.headers.get("Origin") == PAGE:
            self.set_header(ACAO, PAGE)
            self.set_header(ACAC, "true")
            self.set_header(ACAM, "GET, PUT")

    def options(self) -> None:
        self.set_status(204)


WAYS = {
    "star": Star,
    "no-options": NoOptions,
    "twice": Twice,
    "guarded": Guarded,
    "private": Private,
    "echo": Echo,
    "in-get": InGet,
    "well": Well,
}
OPTIONS = {"cookie_secret": "of a server for tests", "login_url": "/private/login"}
SITES = {
    name: Application([(f"/{name}/items", way), ("/private/login", Login)], **OPTIONS) for name, way in WAYS.items()
}
app = RuleRouter([Rule(PathMatches(f"/{name}/.*"), site) for name, site in SITES.items()])
