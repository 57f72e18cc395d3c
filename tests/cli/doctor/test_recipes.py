"""The lines to write in the user's own server software."""

import tomllib
from importlib import resources

import pytest

from asgi_cors.cli.doctor import recipes
from asgi_cors.cli.doctor.recipes.page import example
from tests.cli.corpus.raw import ACAC, ACAM, ACAO, ACEH, PAGE, PAGE_ALLOWED, allowing, sends, splits
from tests.cli.corpus.serving import Response, serving
from tests.support.command_line import run

TABLE = recipes.read_table()
CODE_WIDTH = 76  # columns, after the indentation of 4
COMMENTS = ("#", "//", "<!--")
NGINX = ("Server", "nginx/1.22.1")


def report(behaviour, *arguments: str) -> str:
    """Return the report on a server for the terminal."""
    with serving(behaviour) as server:
        return run("doctor", f"{server.url}/items", "-o", PAGE, *arguments).out


def cause(behaviour, *arguments: str, origin: str = PAGE) -> dict[str, str]:
    """Return the cause that the doctor finds, as JSON."""
    with serving(behaviour) as server:
        return run("doctor", f"{server.url}/items", "-o", origin, *arguments, "--json").json["cause"]


@pytest.mark.parametrize(
    ("software", "goal"), [(name, goal) for name, found in TABLE.items() for goal in found if goal != "docs"]
)
def test_a_recipe_has_the_values_of_the_question_and_comments_of_80_columns(software, goal):
    lines = example(goal, software).lines.splitlines()
    assert lines
    assert not [line for line in lines if len(line) > CODE_WIDTH and line.strip().startswith(COMMENTS)]
    assert not [line for line in lines if not line.isprintable()]
    assert not [line for line in lines if line != line.rstrip()]
    for placeholder in ("{origin}", "{methods}", "{headers}", "{'methods'}", '{"methods"}', "{:methods}"):
        assert placeholder not in "\n".join(lines)


@pytest.mark.parametrize("software", TABLE)
def test_a_software_has_goals_and_a_link_to_its_documentation(software):
    assert TABLE[software]["docs"].startswith("https://")
    assert set(TABLE[software]) - {"docs"} <= set(recipes.GOALS)
    assert "origin" in TABLE[software] or "preflight" in TABLE[software]


def test_a_software_is_in_one_file_only():
    files = [file for file in resources.files(recipes).iterdir() if file.name.endswith(".toml")]
    names = [name for file in files for name in tomllib.loads(file.read_text("utf-8"))]
    assert len(files) >= 4
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{origin}", PAGE),
        ("{methods}", "PUT, DELETE"),
        ("[{'methods'}]", "['PUT', 'DELETE']"),
        ('[]string{{"headers"}}', '[]string{"x-id", "x-b"}'),
        ("[{:methods}]", "[:put, :delete]"),
    ],
)
def test_lists_have_the_spelling_of_the_software(text, filled):
    assert recipes.fill(text, origin=PAGE, methods="PUT, DELETE", headers="x-id, x-b") == filled


def test_the_lines_are_those_of_the_software_that_server_names():
    found = cause(sends(200, NGINX), "--server", "SPRING")
    assert (found["software"], found["docs"]) == ("Spring", TABLE["Spring"]["docs"])
    assert f'.allowedOrigins("{PAGE}")' in found["recipe"]


@pytest.mark.parametrize(
    ("name", "suggestion"), [("Exprss", "Did you mean 'Express'? "), ("aspnet", "Did you mean 'ASP.NET'? "), ("?", "")]
)
def test_an_unknown_software_is_refused_with_the_known_names(name, suggestion):
    ran = run("doctor", "https://api.test", "-o", PAGE, "--server", name)
    assert ran.code == 2
    assert f"--server {name!r} is not known. {suggestion}Write one of " in ran.err
    assert "Express" in ran.err
    assert "rs/cors" in ran.err


def test_server_is_explained_if_the_response_reveals_no_software():
    assert "Add --server NAME for the lines to write in nginx, Express" in " ".join(report(sends()).split())
    assert "--server NAME" not in report(sends(200, NGINX))


def test_server_list_prints_the_names():
    ran = run("doctor", "--server", "list")
    assert (ran.code, ran.out.split("\n")) == (0, [*sorted(TABLE, key=str.lower), ""])


def test_a_software_without_a_recipe_for_the_goal_is_named_with_its_documentation():
    found = cause(splits(allowing((ACAM, "GET")), PAGE_ALLOWED), "-X", "PUT", "--server", "IIS")
    assert (found["recipe"], found["software"], found["docs"]) == ("", "IIS", TABLE["IIS"]["docs"])


def test_the_link_is_whole_and_on_its_own_line():
    arguments = ["-X", "PUT", "--server", "Cloudflare"]
    lines = report(splits(Response(401), PAGE_ALLOWED), *arguments).splitlines()
    assert f"    {TABLE['Cloudflare']['docs']}" in lines


def test_each_line_of_a_recipe_is_on_its_own_line_and_whole():
    out = report(splits(Response(401, (NGINX,)), PAGE_ALLOWED), "-X", "PUT", "--server", "Cloudflare Workers")
    lines = out.splitlines()
    first = lines.index("    // before the login; headers has the CORS headers")
    assert lines[first + 1 : first + 4] == [
        '    if (request.method === "OPTIONS") {',
        "      return new Response(null, { status: 204, headers });",
        "    }",
    ]


def test_a_line_with_a_long_origin_is_not_broken():
    origin = f"https://{'a' * 60}.{'b' * 60}.example.com"
    with serving(sends()) as server:
        out = run("doctor", f"{server.url}/items", "-o", origin, "--server", "rs/cors").out
    assert f'        AllowedOrigins: []string{{"{origin}"}},' in out.splitlines()


def test_no_recipe_allows_the_origin_null():
    found = cause(sends(200, NGINX), origin="null")
    assert (found["recipe"], found["software"], found["policy"]) == ("", "", "")
    assert "Serve the page from an origin of its own" in found["advice"]


def test_a_recipe_that_names_no_list_has_the_method_and_headers_of_the_question():
    completed = recipes.complete(
        recipes.Recipe(goal="preflight", software="S3"), recipes_question(method="PUT", headers=(("X-Id", "7"),))
    )
    assert (completed.origin, completed.methods, completed.headers) == (PAGE, "PUT", "x-id")


def recipes_question(**options):
    from asgi_cors.cli.doctor.question import Question  # noqa: PLC0415 - for one test

    return Question(url="https://api.test/", origin=PAGE, **options)


@pytest.mark.parametrize(
    ("response", "arguments", "recipe"),
    [
        (allowing((ACAM, "GET, PUT, DELETE")), ["-X", "PATCH"], "'GET', 'PUT', 'DELETE', 'PATCH'"),
        (allowing((ACAM, "*"), (ACAC, "true")), ["-X", "PATCH", "-c"], "methods: ['PATCH']"),
        (allowing((ACAM, "PUT"), ("Access-Control-Allow-Headers", "x-a")), ["-H", "x-b: 1"], "'x-a', 'x-b'"),
    ],
)
def test_a_recipe_has_the_whole_list(response, arguments, recipe):
    found = cause(splits(response, PAGE_ALLOWED), *arguments, "--server", "express")
    assert recipe in found["recipe"]


def test_a_recipe_for_exposed_headers_has_the_whole_list():
    behaviour = sends(200, (ACAO, PAGE), (ACEH, "etag"), ("etag", "1"), ("x-id", "1"))
    assert "'etag', 'x-id'" in cause(behaviour, "-r", "x-id", "--server", "express")["recipe"]


def test_the_policy_of_a_django_project_is_in_its_settings():
    arguments = ["-X", "PUT", "-H", "X-Id: 7", "--credentials", "--server", "Django"]
    out = report(sends(), *arguments)
    lines = [f"CORS_ALLOWED_ORIGINS = ['{PAGE}']", "CORS_ALLOW_CREDENTIALS = True", "CORS_ALLOW_METHODS = ['PUT']"]
    assert "the middleware of asgi_cors_django, with these settings:" in " ".join(out.split())
    assert all(f"    {line}\n" in out for line in lines)
