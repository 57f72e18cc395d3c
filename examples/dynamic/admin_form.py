"""Flask: a form in which an administrator edits the origins. It shows why an origin can't be added.

Serve it, and open http://localhost:8000/admin/origins. The user name is `admin`:

    pip install 'asgi-cors-bridge[flask]' gunicorn
    DATABASE=origins.db ADMIN_PASSWORD=... gunicorn --chdir examples/dynamic admin_form:app
"""

import asyncio
import hmac
import os
import sqlite3
from contextlib import closing

from flask import Flask, Response, abort, redirect, render_template_string, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from asgi_cors import Loaded, check_origin
from asgi_cors_flask import CORS

FORM = """<!doctype html>
<title>Origins</title>
<ul>{% for origin in origins %}<li>{{ origin }}</li>{% endfor %}</ul>
<form method="post">
  <input name="origin" value="{{ text }}" placeholder="https://shop.example.com" required>
  <button name="action" value="add">Add</button> <button name="action" value="remove">Remove</button>
  {% if issue %}<p role="alert">{{ issue.message }}. {{ issue.hint }}</p>{% endif %}
</form>"""


def database() -> sqlite3.Connection:
    """Connect, for this thread and this request."""
    connection = sqlite3.connect(os.environ["DATABASE"])
    connection.execute("CREATE TABLE IF NOT EXISTS origins (origin TEXT PRIMARY KEY)")
    return connection


def stored_origins() -> list[str]:
    """Return all origins. Workers call this every 30 seconds, in a thread."""
    with closing(database()) as connection:
        return [origin for (origin,) in connection.execute("SELECT origin FROM origins ORDER BY origin")]


app = Flask(__name__)
# The administrator may remove the last origin, so an empty list is not an error.
loaded = Loaded(stored_origins, every=30, allow_empty=True)
CORS(app, resources={"/api/*": {"origins": ["https://app.example.com", loaded]}})


@app.before_request
def check_admin() -> Response | None:
    """Let only the administrator see the form, and only the form itself post to it. Use your own login instead."""
    if not request.path.startswith("/admin/"):
        return None
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        abort(403)
    login = request.authorization
    if login is None or login.username != "admin":
        return Response("Log in.", 401, {"WWW-Authenticate": 'Basic realm="origins"'})
    if not hmac.compare_digest((login.password or "").encode(), os.environ["ADMIN_PASSWORD"].encode()):
        return Response("Log in.", 401, {"WWW-Authenticate": 'Basic realm="origins"'})
    return None


@app.route("/admin/origins", methods=["GET", "POST"])
def edit_origins() -> AnyResponse | tuple[str, int]:
    """Show the form. Save a change, unless the origin isn't valid."""
    text = request.form.get("origin", "").strip()
    removes = request.form.get("action") == "remove"
    issue = check_origin(text) if request.method == "POST" and not removes else None
    if request.method == "GET" or issue:
        return render_template_string(FORM, origins=stored_origins(), text=text, issue=issue), 422 if issue else 200
    with closing(database()) as connection, connection:  # commits, then closes
        statement = "DELETE FROM origins WHERE origin = ?" if removes else "INSERT OR IGNORE INTO origins VALUES (?)"
        connection.execute(statement, (text,))
    asyncio.run(loaded.refresh())  # this worker applies the change at once, the others within 30 seconds
    return redirect(url_for("edit_origins"), 303)


@app.get("/api/items")
def items() -> list[str]:
    """Return the items."""
    return ["tea", "cake"]
