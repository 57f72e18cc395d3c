"""The doctor's report, its options, and what it takes care of: what it sends, and how often."""

import io
import os
import subprocess
import sys

import httpx
import pytest

from asgi_cors.cli.doctor import collect
from asgi_cors.cli.doctor.diagnosis import CAUSES, diagnose
from asgi_cors.cli.doctor.evidence import Answer, Evidence, Visit
from asgi_cors.cli.doctor.question import Question
from asgi_cors.cli.doctor.recipes import _RECIPES, recipe
from asgi_cors.cli.doctor.rules.notes import NOTES
from asgi_cors.cli.doctor.rules.risks import RISKS
from asgi_cors.cli.doctor.servers import clue, makers, proxy
from asgi_cors.cli.terminal import shown, stdout
from tests.cli.corpus.raw import ACAC, ACAM, ACAO, ACEH, ACMA, ANSWERED, GRANTED, PAGE, allowing, echoing, sends, splits
from tests.cli.corpus.serving import Told, serving
from tests.support.command_line import run


def report(behaviour, *arguments: str) -> str:
    """Give the report on a server, for people."""
    with serving(behaviour) as server:
        return run("doctor", f"{server.url}/items", "-o", PAGE, *arguments).out


def test_a_block_for_people():
    """Verdicts, cause, remedy, what went over the wire, and the three consoles: all in 80 columns, in plain text."""
    out = report(splits(Told(401, (("Server", "nginx"),)), ANSWERED), "-X", "PUT", "-H", "X-Id: 7", "-c")
    said = " ".join(out.split())
    assert "✗ Chromium blocks it at the preflight PreflightMissingAllowOriginHeader" in said
    assert "✗ Safari blocks it at the preflight" in said
    assert "preflight-needs-login" in said
    assert "Write Let OPTIONS pass before authentication" in said
    assert "Here nginx: if ($request_method = OPTIONS) { return 204; }" in said
    assert "asgi_cors CORSMiddleware outermost" in said
    assert "1. preflight: OPTIONS http://127.0.0.1:" in said
    assert "> access-control-request-headers: x-id" in said
    assert "< server: nginx" in said
    assert "Firefox Cross-Origin Request Blocked" in said
    assert "with credentials, headers x-id" in said
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_what_passes_for_people():
    """An allowed call: three ticks, risks and notes below, no console."""
    out = report(sends(200, (ACAO, PAGE), (ACAC, "true"), ("Set-Cookie", "a=1"), ("Location", "x" * 300)), "-c")
    said = " ".join(out.split())
    assert "✓ Firefox lets it through" in said
    assert "It works, but" in said
    assert "cookie-not-kept" in said
    assert "(300 characters)" in said
    assert "console" not in said


def test_a_hidden_header_for_people():
    """A header that the script can't read is told of all three browsers, and isn't called a block."""
    out = report(sends(200, (ACAO, "*"), ("X-Id", "7")), "--reads", "X-Id")
    assert "lets it through, and hides a header HeaderNotExposed" in " ".join(out.split())


def test_risks_beside_a_cause():
    """Where something blocks, the risks are told as well, under another title."""
    assert "Also wrong" in report(echoing(lambda _: True), "-c", "-X", "DELETE")


def test_each_request_is_sent_once():
    """Three engines ask, and a DELETE reaches the server once; the same preflight once."""
    with serving(splits(allowing((ACAM, "DELETE"), status=204), ANSWERED)) as server:
        assert run("doctor", f"{server.url}/items", "-o", PAGE, "-X", "DELETE").code == 0
    page_s = [asked.method for asked in server.asked if asked.origin == PAGE]
    assert page_s == ["OPTIONS", "DELETE"]


def test_preflight_only():
    """--preflight-only never sends the request itself."""
    with serving(splits(allowing((ACAM, "DELETE"), status=204), ANSWERED)) as server:
        ran = run("doctor", f"{server.url}/items", "-o", PAGE, "-X", "DELETE", "--preflight-only")
    assert {asked.method for asked in server.asked} == {"OPTIONS"}
    assert (ran.code, "the request itself not sent" in ran.out) == (0, True)


def test_no_probes():
    """--no-probes asks with the page's origin alone."""
    with serving(sends(200, (ACAO, "*"))) as server:
        run("doctor", f"{server.url}/items", "-o", PAGE, "--no-probes")
    assert [asked.origin for asked in server.asked] == [PAGE]


def test_probes_change_nothing():
    """Other origins are asked for by GET where the question is one, else by preflights."""
    with serving(splits(GRANTED, ANSWERED)) as server:
        run("doctor", f"{server.url}/items", "-o", PAGE, "-X", "PUT", "-d", "x")
    assert {asked.method for asked in server.asked if asked.origin != PAGE} == {"OPTIONS"}


def test_a_cookie_is_sent():
    """--cookie is what the browser has for the URL; it goes with credentials only."""
    with serving(sends(200, (ACAO, PAGE), (ACAC, "true"))) as server:
        run("doctor", f"{server.url}/items", "-o", PAGE, "-c", "--cookie", "sid=1", "--no-probes")
        with_credentials = server.asked[0].fields.get("cookie")
        server.asked.clear()
        run("doctor", f"{server.url}/items", "-o", PAGE, "--cookie", "sid=1", "--no-probes")
    assert (with_credentials, server.asked[0].fields.get("cookie")) == ("sid=1", None)


def test_a_page_s_url_serves_as_its_origin():
    """--origin takes what stands in the address bar."""
    with serving(sends(200, (ACAO, PAGE))) as server:
        assert run("doctor", f"{server.url}/items", "-o", f"{PAGE}/a/page?x=1").code == 0


def test_a_sandboxed_page():
    """--origin null asks as a sandboxed page."""
    with serving(sends(200, (ACAO, "null"), (ACAC, "true"))) as server:
        ran = run("doctor", f"{server.url}/items", "-o", "null", "-c", "--json")
    assert (ran.code, ran.json["risks"]) == (0, [])


def test_json_names_all_that_docs_describe():
    """The keys of --json are those of docs/cli.md."""
    with serving(splits(GRANTED, ANSWERED)) as server:
        ran = run("doctor", f"{server.url}/items", "-o", PAGE, "-X", "PUT", "-H", "x-id: 7", "-r", "Etag", "--json")
    told = ran.json
    assert set(told) == {
        "schema", "command", "question", "allowed", "browsers", "cause", "risks", "notes", "exchanges",
    }  # fmt: skip
    assert told["question"] == {
        "url": f"{server.url}/items",
        "origin": PAGE,
        "method": "PUT",
        "headers": [["x-id", "7"]],
        "credentials": False,
        "reads": ["etag"],
    }
    assert told["browsers"][0] == {
        "browser": "Chromium",
        "engine": "chromium",
        "allowed": False,
        "code": "HeaderNotExposed",
        "step": "request",
        "console": None,
    }
    assert set(told["cause"]) == {"name", "sentence", "remedy", "recipe", "policy"}
    assert [exchange["kind"] for exchange in told["exchanges"]] == ["preflight", "main"]
    assert set(told["exchanges"][0]) == {"kind", "method", "url", "status", "request", "response"}


@pytest.mark.parametrize(
    ("behaviour", "arguments", "note"),
    [
        (splits(allowing((ACAM, "PUT"), (ACMA, "86400")), ANSWERED), ["-X", "PUT"], "max-age-beyond-caps"),
        (splits(allowing((ACAM, "PUT"), (ACMA, "1h")), ANSWERED), ["-X", "PUT"], "max-age-malformed"),
        (splits(allowing((ACAM, "PUT")), ANSWERED), ["-X", "PUT"], "max-age-absent"),
        (echoing(lambda _: True, credentials=False), [], "open-to-all"),
        (sends(200, (ACAO, "*"), (ACAC, "true")), [], "wildcard-and-credentials"),
        (echoing(lambda origin: origin.endswith(".example.com") and "s:" in origin), [], "trusts-subdomains"),
        (splits(allowing((ACAM, "PUT"), (ACMA, "600")), ANSWERED), ["-X", "PUT"], None),
    ],
)
def test_notes(behaviour, arguments, note):
    """What harms nobody is a note: the exit code stays 0."""
    with serving(behaviour) as server:
        ran = run("doctor", f"{server.url}/items", "-o", PAGE, *arguments, "--json")
    assert ran.code == 0
    assert [found["name"] for found in ran.json["notes"]] == ([note] if note else [])


def test_browsers_that_differ():
    """After a redirect to a third origin Firefox's preflight still carries the page's origin: it lets it through."""

    def answer(asked):
        if asked.path == "/items" and asked.is_preflight:
            return allowing((ACAM, "PUT"))
        if asked.path == "/items":
            return allowing(("Location", f"http://localhost:{asked.port}/v2"), status=307)
        if asked.is_preflight:
            return allowing((ACAM, "PUT"))
        return Told(200, ((ACAO, "null"),))

    with serving(answer) as server:
        ran = run("doctor", f"{server.url}/items", "-o", PAGE, "-X", "PUT", "--json")
    assert [browser["allowed"] for browser in ran.json["browsers"]] == [False, True, False]
    assert ran.json["browsers"][0]["step"] == "preflight after redirect 1"
    assert ran.json["cause"]["name"] == "redirected-to-another-origin"
    assert "browsers-differ" in [note["name"] for note in ran.json["notes"]]


# -- what loopback can't show: other hosts and address spaces


def examined(behaviour, monkeypatch, spaces=("unknown", "unknown"), **question):
    """Diagnose a question to hosts that are not there."""
    monkeypatch.setattr(collect, "_spaces", lambda _: spaces)
    transport = httpx.MockTransport(behaviour)
    asked = Question(**({"url": "https://api.example.net/items", "origin": PAGE} | question))
    return diagnose(collect.examine(asked, transport))


def grant(request):
    return httpx.Response(200, headers={"access-control-allow-origin": "*"})


@pytest.mark.parametrize(("scheme", "secure"), [("http", "https"), ("ws", "wss")])
def test_mixed_content(monkeypatch, scheme, secure):
    """A secure page may not call http: browsers block it whatever the server allows."""

    def answer(request):
        return httpx.Response(101 if scheme == "ws" else 200, headers={"access-control-allow-origin": "*"})

    found = examined(answer, monkeypatch, url=f"{scheme}://api.example.net/items")
    assert found.cause.name == "mixed-content"
    assert found.cause.remedy == f"Call {secure}://api.example.net/items."
    assert found.evidence.visits[0].code == "MixedContent"


@pytest.mark.parametrize(
    ("spaces", "origin", "told"),
    [
        (("public", "loopback"), PAGE, "the URL is this machine"),
        (("public", "local"), "http://app.example.com", "This page is over http, and is refused without a question"),
        (("local", "loopback"), PAGE, None),
        (("unknown", "loopback"), PAGE, None),
        (("public", "public"), PAGE, None),
    ],
)
def test_local_network_access(monkeypatch, spaces, origin, told):
    """A public page that calls this machine, or the local network, needs the user's permission in Chromium."""
    found = examined(grant, monkeypatch, spaces, origin=origin)
    sentences = {risk.name: risk.sentence for risk in found.risks}
    assert ("needs-local-network-access" in sentences) == bool(told)
    assert (told or "") in sentences.get("needs-local-network-access", "")


@pytest.mark.parametrize(
    ("address", "space"),
    [("127.0.0.1", "loopback"), ("10.1.2.3", "local"), ("169.254.1.1", "local"), ("93.184.216.34", "public")],
)
def test_address_spaces(monkeypatch, address, space):
    """Where a host is, by its address."""
    monkeypatch.setattr(collect.socket, "getaddrinfo", lambda *_: [(2, 1, 6, "", (address, 0))])
    assert collect._spaces(Question(url="https://api.example.net", origin=PAGE)) == (space, space)
    assert collect._spaces(Question(url="https://api.example.net", origin="null"))[0] == "unknown"


def test_probes_that_get_no_answer(monkeypatch):
    """Two probes without an answer, and no more are made."""
    asked = []

    def answer(request):
        asked.append(request.headers.get("origin"))
        if request.headers.get("origin") != PAGE:
            raise httpx.ReadTimeout("late")
        return grant(request)

    found = examined(answer, monkeypatch)
    assert (found.cause, found.evidence.probes) == (None, {})
    assert len(asked) == 3


@pytest.mark.parametrize("host", ["localhost", "192.168.1.7", "com", "example.com"])
def test_origins_of_every_form_are_probed(monkeypatch, host):
    """Probes are made from any host: a name, an address, a domain itself."""
    assert examined(grant, monkeypatch, origin=f"https://{host}").cause is None


@pytest.mark.parametrize("rule", [*CAUSES, *RISKS, *NOTES], ids=lambda rule: rule.__name__)
def test_a_rule_says_nothing_of_a_healthy_call(monkeypatch, rule):
    """Each rule is silent where it has nothing to say."""
    assert rule(examined(grant, monkeypatch).evidence) is None


def test_a_cause_that_no_rule_knows(monkeypatch):
    """What no rule knows is told in the browser's own words."""
    monkeypatch.setattr("asgi_cors.cli.doctor.diagnosis.CAUSES", ())
    found = examined(lambda _: httpx.Response(200), monkeypatch)
    assert found.cause.name == "blocked"
    assert "MissingAllowOriginHeader" in found.cause.sentence
    assert "allow_origins" in found.cause.remedy
    evidence = Evidence(
        question=Question(url="wss://a.test", origin=PAGE),
        visits=(Visit(engine="chromium", exchanges=(), problem="HandshakeRefused"),),
    )
    assert diagnose(evidence).cause.remedy.startswith("Look at")
    assert evidence.visits[0].step == "request"


def test_expired_cookies_are_no_risk(monkeypatch):
    """A cookie that is taken back isn't kept, as it should be."""

    def answer(request):
        cookies = ["a=; Max-Age=0", "b=; expires=Thu, 01 Jan 1970 00:00:00 GMT"]
        headers = [("access-control-allow-origin", PAGE), ("access-control-allow-credentials", "true")]
        return httpx.Response(200, headers=[*headers, *(("set-cookie", cookie) for cookie in cookies)])

    assert examined(answer, monkeypatch, credentials=True).risks == ()


def test_a_strict_cookie_says_what_lacks(monkeypatch):
    """A cookie that isn't kept: the attributes that it lacks are named; one that lacks none is told, too."""

    def answer(cookie):
        headers = {"access-control-allow-origin": PAGE, "access-control-allow-credentials": "true"}
        return lambda _: httpx.Response(200, headers=headers | {"set-cookie": cookie})

    (risk,) = examined(answer("a=1; Secure"), monkeypatch, credentials=True).risks
    assert "lacks SameSite=None." in risk.sentence
    (risk,) = examined(answer("a=1; Secure; SameSite=None; Domain=net"), monkeypatch, credentials=True).risks
    assert "lacks what that takes." in risk.sentence


# -- who wrote an answer


def answered(**headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    request = httpx.Request("GET", "https://api.test/")
    return Answer(request, httpx.Response(502, headers=fields, text="bad"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answered(server="nginx/1.25"), ("nginx",)),
        (answered(server="Apache/2.4"), ("Apache",)),
        (answered(server="Apache-Coyote/1.1"), ("Tomcat",)),
        (answered(server="uvicorn", via="1.1 varnish"), ("Varnish", "uvicorn")),
        (answered(cf_ray="1", x_powered_by="Express"), ("Cloudflare", "Express")),
        (answered(x_amzn_errortype="X"), ("API Gateway",)),
        (answered(), ()),
    ],
)
def test_who_wrote_it(answer, expected):
    """Software is known by its fields, what stands before the app first."""
    assert makers(answer) == expected


def test_a_proxy_that_names_only_itself():
    """A Via of an unknown proxy is quoted; without any sign there is none."""
    assert proxy(answered(via="1.1 squid")) == "a proxy (Via: 1.1 squid)"
    assert proxy(answered()) == ""
    assert clue(answered(via="1.1 squid", server="x")) == "server: x, via: 1.1 squid"


@pytest.mark.parametrize("key", _RECIPES, ids=" ".join)
def test_recipes_can_be_filled_in(key):
    """Each line takes origin, methods and headers, and no brace is left over."""
    line = _RECIPES[key].format(origin=PAGE, methods="PUT", headers="x-id")
    assert "{{" not in line
    assert "origin}" not in line


def test_a_recipe_of_what_is_behind_comes_first():
    """Of an app behind a proxy, the app's line is given."""
    told = recipe("origin", answered(server="cloudflare", x_powered_by="Express"), origin=PAGE)
    assert told == f"Express: app.use(cors({{ origin: ['{PAGE}'] }})), before every route"
    assert recipe("origin", None) == ""


# -- the terminal


def test_control_characters_are_shown():
    """What a server sends can't write to the terminal."""
    assert shown("a\x1b[31m\r\u202eb\u00e9") == "a\\x1b[31m\\r\\u202eb\u00e9"


def test_a_terminal_that_knows_no_unicode(monkeypatch):
    """Where the terminal can't show a character, a question mark stands for it."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    stdout().print("✗ blocked")
    stream.flush()
    assert stream.buffer.getvalue() == b"? blocked\n"


def command(*arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command line as a program of its own."""
    program = [sys.executable, "-m", "asgi_cors", *arguments]
    return subprocess.run(program, capture_output=True, env=os.environ | env, check=False, timeout=60)


def test_as_a_program():
    """`python -m asgi_cors` is the script; what is piped has no colours."""
    ran = command("console", "TypeError: Failed to fetch")
    assert ran.returncode == 0
    assert b"What the script sees" in ran.stdout
    assert b"\x1b" not in ran.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_on_a_terminal(env, coloured):
    """On a terminal there are colours, unless NO_COLOR is set."""
    import pty  # noqa: PLC0415 - POSIX alone has it

    main, terminal = pty.openpty()
    with serving(sends()) as server:
        program = [sys.executable, "-m", "asgi_cors", "doctor", server.url, "-o", PAGE, "--no-probes"]
        environ = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
        process = subprocess.Popen(
            program, stdout=terminal, stderr=subprocess.DEVNULL, env=environ | {"TERM": "xterm-256color"} | env
        )
        os.close(terminal)
        out = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            if not part:
                break
            out += part
        assert process.wait(60) == 1
    os.close(main)
    assert (b"\x1b[31m" in out) == coloured
    assert "✗".encode() in out


def test_help_and_version():
    """Help and version print, and exit with 0; a wrong option exits with 2."""
    assert "doctor" in run("--help").out
    assert "version" in run("--version").out
    for name in ("doctor", "explain", "audit", "console"):
        ran = run(name, "--help")
        assert ran.code == 0
        assert max(map(len, ran.out.splitlines())) <= 80
    assert run("doctor", "--wrong").code == 2
    assert run().code in {0, 2}


def test_ctrl_c(monkeypatch):
    """Ctrl-C ends it without a traceback."""

    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("asgi_cors.cli.console.report.read", fail)
    assert run("console", "x").code == 130


def test_a_reader_that_has_gone():
    """`asgi-cors … | head -1` ends quietly."""
    program = f"{sys.executable} -m asgi_cors --help | head -1"
    ran = subprocess.run(program, shell=True, capture_output=True, check=False, timeout=60)  # noqa: S602 - a pipe of ours
    assert ran.stderr == b""


def test_exposed_by_the_server_s_list():
    """A header in Access-Control-Expose-Headers is readable, whatever its letter case."""
    with serving(sends(200, (ACAO, "*"), (ACEH, "X-ID"), ("x-id", "7"))) as server:
        assert run("doctor", server.url, "-o", PAGE, "-r", "X-Id").code == 0


@pytest.mark.parametrize("missing", ["click", "httpx", "rich"])
def test_without_the_extra(monkeypatch, missing):
    """Where a library of the extra is missing, the line says how to get it."""
    for name in [name for name in sys.modules if name.startswith(("asgi_cors.cli.", f"{missing}."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    ran = run("--help")
    assert ran.code == 2
    assert ran.err == f"asgi-cors needs {missing}. Install it by `pip install 'asgi-cors-bridge[cli]'`.\n"


def test_another_module_that_is_missing(monkeypatch):
    """A mistake of our own is not taken for a missing extra."""
    monkeypatch.delitem(sys.modules, "asgi_cors.cli.commands")
    monkeypatch.setitem(sys.modules, "asgi_cors.cli.doctor.question", None)
    with pytest.raises(ModuleNotFoundError):
        run("--help")


def test_importing_the_package_imports_none_of_it():
    """`import asgi_cors` needs nothing of the command line's."""
    program = "import sys, asgi_cors; print({'click', 'httpx', 'rich', 'asgi_cors.cli'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "set()\n"
