"""A process that is forked while a thread installs or changes a policy, such as `gunicorn --preload` with a feed."""

import os
import threading
import warnings

import pytest

flask = pytest.importorskip("flask")
from asgi_cors._configuration import attached, calls  # noqa: E402 - as above
from asgi_cors_flask import CORS  # noqa: E402 - needs Flask
from asgi_cors_werkzeug import _locks  # noqa: E402 - as above
from tests.support.expected import APP  # noqa: E402 - as above


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_wait_for_the_threads_of_its_parent() -> None:
    app = flask.Flask(__name__)
    CORS(app, allow_origins=APP)
    installation = app.extensions["asgi_cors"]
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with installation._lock, attached._usage._lock:
            held.set()
            release.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:  # pragma: no cover - coverage does not see a child that is forked
        done = threading.Event()

        def change() -> None:
            installation.sync_views()
            attached.activate_when_used(installation)
            done.set()

        threading.Thread(target=change, daemon=True).start()
        os._exit(0 if done.wait(10) else 1)
    release.set()
    thread.join(30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_each_lock_is_renewed() -> None:
    """As in the child, where coverage is not measured."""
    app = flask.Flask(__name__)
    CORS(app, allow_origins=APP)
    installation = app.extensions["asgi_cors"]
    before = attached._usage._lock, installation._lock
    _locks._after_fork()
    calls._after_fork()
    assert attached._usage._lock is not before[0]
    assert installation._lock is not before[1]
