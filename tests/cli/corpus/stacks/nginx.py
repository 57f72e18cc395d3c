"""nginx before an app."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.cli.corpus.raw import ACAH, ACAM, ACAO, PAGE
from tests.cli.corpus.serving import Request, Response, serving

from .case import COOKIES, ID, PUT, Case, free_port, require, wait_for


def app_behind(request: Request) -> Response:
    """Respond as the app behind nginx, which sends CORS headers only below /own."""
    own = ((ACAO, PAGE), ("Vary", "Origin")) if request.path.startswith("/own") else ()
    if request.path.endswith("/missing"):
        return Response(404, own)
    if request.path.endswith("/crash"):
        return Response(500, own)
    return Response(200, own)


PREFLIGHT = f"if ($request_method = OPTIONS) {{ add_header {ACAO} {PAGE}; add_header {ACAM} PUT; return 204; }}"
LOCATIONS = f"""
location /well/ {{
  add_header {ACAO} {PAGE} always; add_header {ACAM} PUT always; add_header {ACAH} x-id always;
  if ($request_method = OPTIONS) {{
    add_header {ACAO} {PAGE}; add_header {ACAM} PUT; add_header {ACAH} x-id; return 204;
  }}
  proxy_pass http://app/;
}}
location /own/ {{ add_header {ACAO} * always; proxy_pass http://app; }}
location /not-always/ {{ add_header {ACAO} {PAGE}; proxy_pass http://app/; }}
location /small/ {{ {PREFLIGHT} client_max_body_size 1; proxy_pass http://app/; }}
location /down/ {{ add_header {ACAO} {PAGE}; proxy_pass http://127.0.0.1:1/; }}
location /empty-204/ {{
  add_header {ACAO} {PAGE} always;
  if ($request_method = OPTIONS) {{ add_header X-From nginx; return 204; }}
  proxy_pass http://app/;
}}
location /guarded/ {{
  satisfy all; deny all;
  add_header {ACAO} {PAGE}; proxy_pass http://app/;
}}
location /prefix/ {{
  set $allowed ""; if ($http_origin ~ ^https://app.example.com) {{ set $allowed $http_origin; }}
  add_header {ACAO} $allowed always; add_header Access-Control-Allow-Credentials true always;
  add_header Vary Origin always; proxy_pass http://app/;
}}
location /reflecting/ {{
  add_header {ACAO} $http_origin always; add_header Access-Control-Allow-Credentials true always;
  add_header Vary Origin always; proxy_pass http://app/;
}}
location /https/ {{ return 301 https://$host$request_uri; }}
"""
CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream app {{ server 127.0.0.1:{app}; }}
  server {{ listen 127.0.0.1:{port}; {locations} }}
}}
"""


@contextlib.contextmanager
def start(folder: Path) -> Iterator[str]:
    """Serve the locations with nginx, before an app."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    require(is_installed=program is not None, name="nginx")
    with serving(app_behind) as behind:
        port = free_port()
        config = CONFIG.format(folder=folder, app=behind.port, port=port, locations=LOCATIONS)
        (folder / "nginx.conf").write_text(config)
        command = [str(program), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        with subprocess.Popen(command) as process:
            try:
                wait_for(port, process)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


# fmt: off
BROKEN = (
    Case("/own/items", {}, "two-origin-fields"),
    Case("/not-always/missing", {}, "error-without-cors"),
    Case("/not-always/crash", {}, "response-crashed"),
    Case("/small/items", {"method": "PUT", "data": "too long"}, "gateway-error"),
    Case("/down/items", {}, "gateway-error"),
    Case("/empty-204/items", PUT, "preflight-not-answered"),
    Case("/guarded/items", PUT, "preflight-needs-login"),
    Case("/prefix/items", COOKIES, None, risks=("compares-by-prefix", "unescaped-dot")),
    Case("/reflecting/items", COOKIES, None, risks=("reflects-any-origin",)),
    Case("/https/items", PUT, "preflight-redirected-to-https"),
    Case("/not-always/items", PUT, "method-not-allowed"),
)
HEALTHY = (
    Case("/well/items", PUT | ID),
    Case("/well/missing", {}),
)
# fmt: on
