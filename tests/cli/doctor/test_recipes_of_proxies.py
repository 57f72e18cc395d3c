"""The recipes for proxies work on the proxies themselves: the doctor allows the calls, and finds no risk."""

import contextlib
import tempfile
from pathlib import Path

import pytest

from asgi_cors.cli.doctor.recipes import (
    CREDENTIALS,
    ERRORS,
    EXPOSE,
    HEADERS,
    METHODS,
    ONCE,
    ORIGIN,
    PREFLIGHT,
    UPGRADE,
    VARY,
    fill,
    read_table,
)
from tests.cli.corpus.raw import PAGE
from tests.cli.corpus.stacks import apache, nginx
from tests.cli.corpus.stacks.behind import configure, find_program, prime, running, upstreams
from tests.cli.corpus.stacks.case import COOKIES, ID, PUT
from tests.support.command_line import doctor

pytestmark = pytest.mark.corpus

ALLOWED, BLOCKED = 0, 1
ON_RESPONSES = (CREDENTIALS, METHODS, HEADERS, EXPOSE)
CALLS = {
    "a response": ("/plain/items", COOKIES | {"reads": ["X-Total-Count"]}),
    "a preflight": ("/plain/items", COOKIES | PUT | ID),
    "a preflight of a path with a login": ("/members/items", COOKIES | PUT | ID),
    "an error of the login": ("/members/items", COOKIES),
    "an error of the app": ("/plain/missing", COOKIES),
    "an error of the proxy": ("/down/items", COOKIES),
    "an app with headers of its own": ("/plain/star/items", COOKIES),
}


def lines(software, *goals):
    """Return the recipes of some goals, with the values of the calls."""
    values = {"origin": PAGE, "methods": "PUT"}
    recipes = [
        fill(read_table()[software][goal], **values, headers="X-Total-Count" if goal == EXPOSE else "x-id")
        for goal in goals
    ]
    return "\n".join(recipes)


def with_nginx(folder, ports):
    """Write the lines into each location."""
    (folder / "recipe.conf").write_text(lines("nginx", ORIGIN, *ON_RESPONSES, PREFLIGHT, ONCE))
    locations = f"""
    location / {{ include recipe.conf; proxy_pass http://app; }}
    location /down/ {{ include recipe.conf; proxy_pass http://127.0.0.1:1; }}
    location /members/ {{
      include recipe.conf;
      auth_basic members;
      auth_basic_user_file {folder}/users;
      proxy_pass http://app;
    }}"""
    (folder / "nginx-locations.conf").write_text(locations)
    return nginx.command(configure("nginx.conf", folder, ports))


def write_apache(folder, ports, more):
    """Use the modules of the corpus, with other lines for the server."""
    config = configure("apache.conf", folder, ports, MODULES=apache.MODULES)
    server, _, _ = config.read_text().partition("RewriteEngine On")
    config.write_text(server + more)
    return [find_program("apache2"), "-f", str(config), "-D", "FOREGROUND"]


LOGIN = "AuthType Basic\nAuthName members\nAuthUserFile /none\nRequire valid-user\n"


def with_apache_host(folder, ports):
    """Write the lines for a virtual host. There, `Require` is not allowed, and not needed."""
    recipe = lines("Apache", ORIGIN, *ON_RESPONSES, PREFLIGHT, ONCE).replace("Require method OPTIONS", "")
    more = f"""
    <VirtualHost *>
      {recipe}
      ProxyPass /down/ http://127.0.0.1:1/
      ProxyPass / http://127.0.0.1:{ports.app}/
      <Location /members/>
        {LOGIN}
      </Location>
    </VirtualHost>"""
    return write_apache(folder, ports, more)


def with_apache_location(folder, ports):
    """Write the lines for a location, next to its login."""
    recipe = lines("Apache", ORIGIN, *ON_RESPONSES, PREFLIGHT, ONCE)
    more = f"""
    ProxyPass /down/ http://127.0.0.1:1/
    ProxyPass / http://127.0.0.1:{ports.app}/
    <Location />
      {recipe.replace("Require method OPTIONS", "")}
    </Location>
    <Location /members/>
      {recipe}
      {LOGIN}
    </Location>"""
    return write_apache(folder, ports, more)


def with_haproxy(folder, ports):
    """Write the lines into the frontend, before its login."""
    text = f"""
    defaults
      mode http
      retries 0
      timeout connect 5s
      timeout client 5s
      timeout server 5s
    userlist members
      user ada insecure-password lovelace
    frontend web
      bind 127.0.0.1:{ports.proxy}
      {lines("HAProxy", ORIGIN, *ON_RESPONSES, PREFLIGHT)}
      http-request auth if {{ path_beg /members/ }} !{{ http_auth(members) }}
      use_backend down if {{ path_beg /down/ }}
      default_backend app
    backend app
      server app 127.0.0.1:{ports.app}
    backend down
      server down 127.0.0.1:1
"""
    (folder / "haproxy.cfg").write_text(text)
    return [find_program("haproxy"), "-q", "-db", "-f", str(folder / "haproxy.cfg")]


def with_caddy(folder, ports):
    """Write the lines into a site. The login and reverse_proxy are in its `route`."""
    login = "basicauth /members/* {\nada $2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG\n}"
    proxies = f"reverse_proxy /down/* 127.0.0.1:1\nreverse_proxy 127.0.0.1:{ports.app} {{\n{lines('Caddy', ONCE)}\n}}\n"
    before, after, end = lines("Caddy", PREFLIGHT).rpartition("}")
    text = f"""
    {{
      admin off
      auto_https off
      log {{
        output discard
      }}
    }}
    http://:{ports.proxy} {{
      bind 127.0.0.1
      {lines("Caddy", ORIGIN, *ON_RESPONSES)}
      {before}
      {login}
      {proxies}
      {after}{end}
    }}
    """
    (folder / "Caddyfile").write_text(text)
    return [find_program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def varnish_command(folder, ports, recipe):
    """Write VCL with an app, an upstream that is down, and a login after the lines."""
    text = f"""
    vcl 4.1;
    backend app {{ .host = "127.0.0.1"; .port = "{ports.app}"; }}
    backend down {{ .host = "127.0.0.1"; .port = "1"; }}
    {recipe}
    sub vcl_recv {{
      if (req.url ~ "^/members/" && !req.http.Authorization) {{ return (synth(401)); }}
      if (req.url ~ "^/down/") {{ set req.backend_hint = down; }}
    }}
    """
    (folder / "default.vcl").write_text(text)
    command = [find_program("varnishd"), "-F", "-j", "none", "-n", str(folder / "varnish"), "-T", "none"]
    return [*command, "-s", "malloc,16m", "-a", f"127.0.0.1:{ports.proxy}", "-f", str(folder / "default.vcl")]


def with_varnish(folder, ports):
    """Write the lines into the VCL. Those of a response belong into `sub cors`."""
    first, brace, rest = lines("Varnish", ORIGIN).partition("{")
    recipe = f"{first}{brace}{lines('Varnish', *ON_RESPONSES)}{rest}\n{lines('Varnish', PREFLIGHT)}"
    return varnish_command(folder, ports, recipe)


def with_lighttpd(folder, ports):
    """Write the lines before those of the origin. The login is in the block of the preflight."""
    login = f"""
    $HTTP["url"] =~ "^/members/" {{
      auth.backend = "plain"
      auth.backend.plain.userfile = "{folder}/users"
      auth.require = ( "" => ( "method" => "basic", "realm" => "members", "require" => "valid-user" ) )
    }}"""
    before, after, end = lines("lighttpd", PREFLIGHT).rpartition("}")
    text = f"""
    {lines("lighttpd", ERRORS)}
    server.modules += ( "mod_authn_file", "mod_proxy" )
    server.bind = "127.0.0.1"
    server.port = {ports.proxy}
    server.document-root = "{folder}"
    server.errorlog = "{folder}/error.log"
    server.upload-dirs = ( "{folder}" )
    proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => {ports.app} ) ) )
    {lines("lighttpd", *ON_RESPONSES, ORIGIN)}
    {before}
    {login}
    {after}{end}
    $HTTP["url"] =~ "^/down/" {{
      proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => 1 ) ) )
    }}
    """
    (folder / "lighttpd.conf").write_text(text)
    return [find_program("lighttpd"), "-D", "-f", str(folder / "lighttpd.conf")]


SOFTWARE = {
    "nginx": with_nginx,
    "Apache's virtual host": with_apache_host,
    "Apache's location": with_apache_location,
    "HAProxy": with_haproxy,
    "Caddy": with_caddy,
    "Varnish": with_varnish,
    "lighttpd": with_lighttpd,
}


@pytest.fixture(scope="module", params=list(SOFTWARE))
def url(request):
    """Serve an app with the recipes of one software."""
    with serving_with(SOFTWARE[request.param]) as url:
        yield url


@contextlib.contextmanager
def serving_with(write):
    """Serve an app behind a proxy. Apache's own user must be able to read the folder."""
    with tempfile.TemporaryDirectory() as name, upstreams() as ports:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "users").write_text("ada:lovelace\n")
        with running(write(folder, ports), ports.proxy):
            yield f"http://127.0.0.1:{ports.proxy}"


@pytest.mark.parametrize("name", CALLS)
def test_the_recipes_allow_a_call_without_a_risk(url, name):
    path, call = CALLS[name]
    ran = doctor(call, url + path)
    assert (ran.code, ran.json["cause"], ran.json["risks"]) == (ALLOWED, None, []), ran.json["exchanges"]


def test_the_recipes_allow_no_other_origin(url):
    ran = doctor(COOKIES | {"origin": "https://shop.example.net"}, f"{url}/plain/items")
    assert (ran.code, ran.json["cause"]["name"]) == (BLOCKED, "origin-not-allowed")


def with_apache_directory(folder, ports):
    """Write the lines for a folder of files, next to its login."""
    (folder / "list.txt").write_text("tea\n")
    recipe = lines("Apache", ORIGIN, *ON_RESPONSES, PREFLIGHT)
    more = f"Alias /files {folder}\n<Directory {folder}>\n{recipe}\n{LOGIN}</Directory>\n"
    return write_apache(folder, ports, more)


def test_apaches_recipes_work_in_a_directory_with_a_login():
    with serving_with(with_apache_directory) as url:
        ran = doctor(COOKIES | PUT | ID, f"{url}/files/list.txt")
    assert (ran.code, ran.json["cause"], ran.json["risks"]) == (ALLOWED, None, [])
    assert [(each["method"], each["status"]) for each in ran.json["exchanges"]] == [("OPTIONS", 204), ("PUT", 401)]


def test_varnish_stores_a_response_for_each_origin_with_the_line_for_vary():
    def with_vary(folder, ports):
        return varnish_command(folder, ports, lines("Varnish", VARY))

    with serving_with(with_vary) as url:
        prime(f"{url}/unvaried/items", "https://admin.example.com")
        ran = doctor({}, f"{url}/unvaried/items")
    assert (ran.code, ran.json["cause"], ran.json["risks"]) == (ALLOWED, None, [])


def test_nginx_forwards_a_handshake_with_the_lines_for_websockets():
    def with_upgrade(folder, ports):
        location = f"location / {{ {lines('nginx', UPGRADE)} proxy_pass http://app; }}"
        (folder / "nginx-locations.conf").write_text(location)
        return nginx.command(configure("nginx.conf", folder, ports))

    with serving_with(with_upgrade) as url:
        ran = doctor({"scheme": "ws"}, f"{url}/socket")
    assert (ran.code, ran.json["cause"], ran.json["risks"]) == (ALLOWED, None, [])
