"""The system's Firefox by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), JSON messages over a WebSocket.

Playwright drives only a Firefox of its own, which it downloads.
"""

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from .drivers import PATIENCE, SECOND_NAME

START = 60  # seconds, for Firefox to start
INTERVAL = 0.05  # seconds between two checks of a condition
PREFERENCES = {
    "app.normandy.enabled": False,  # no download of experiments
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.security.https_first": False,
    "network.dns.localDomains": SECOND_NAME,
    "network.proxy.type": 0,
}


class BiDiError(Exception):
    """Firefox has refused a command."""


class Session:
    """The connection to Firefox. `script_errors` has the uncaught errors, by tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count()
        self.script_errors: dict[str, list[str]] = {}
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded"])

    def call(self, method: str, **params: Any) -> Any:
        """Send a command, and return its result. Events that arrive before the result are recorded."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (message := json.loads(self._socket.recv(timeout=START))).get("id") != number:
            self._record(message.get("params", {}))
        if message["type"] == "error":
            raise BiDiError(f"{method}: {message['error']}: {message['message']}")
        return message["result"]

    def _record(self, event: dict[str, Any]) -> None:
        # A blocked request is an error of this type, too, but it has no stack trace.
        if event.get("type") == "javascript" and event.get("stackTrace"):
            self.script_errors.setdefault(event["source"]["context"], []).append(event["text"])


class FirefoxTab:
    """A tab of Firefox."""

    def __init__(self, session: Session, context: str) -> None:
        self._session, self._context = session, context
        self.script_errors = session.script_errors.setdefault(context, [])

    def open(self, url: str) -> None:
        self._session.call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        # As JSON, because BiDi describes each value by its type.
        as_json = f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))"
        target = {"context": self._context}
        answer = self._session.call("script.evaluate", expression=as_json, target=target, awaitPromise=True)
        if answer["type"] == "exception":
            raise BiDiError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def wait_until(self, condition: str) -> None:
        _poll(lambda: self._is_true(condition), PATIENCE, condition)

    def _is_true(self, condition: str) -> bool:
        try:
            return bool(self.evaluate(condition))
        except BiDiError:  # the page has changed during the call
            return False


class Firefox:
    """The system's Firefox."""

    name = "firefox"

    def __init__(self, session: Session) -> None:
        self._session = session

    @contextmanager
    def tab(self, width: int = 1280) -> Iterator[FirefoxTab]:
        user = self._session.call("browser.createUserContext")["userContext"]
        context = self._session.call("browsingContext.create", type="tab", userContext=user)["context"]
        viewport = {"width": width, "height": 900}
        self._session.call("browsingContext.setViewport", context=context, viewport=viewport)
        yield FirefoxTab(self._session, context)
        self._session.call("browser.removeUserContext", userContext=user)


@contextmanager
def firefox() -> Iterator[Firefox]:
    """Run the Firefox that FIREFOX names, with a profile of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
        Path(folder, "user.js").write_text("\n".join(lines), "utf-8")
        log = Path(folder, "log.txt")
        command = [os.environ["FIREFOX"], "--headless", "--no-remote", "--profile", folder]
        command += ["--remote-debugging-port", "0", "about:blank"]
        # Firefox takes the folder of its cache and settings from HOME.
        environment = {**os.environ, "HOME": folder}
        with (
            log.open("w") as output,
            subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process,
        ):
            try:
                with connect(_address(process, log), max_size=None, open_timeout=START, proxy=None) as socket:
                    session = Session(socket)
                    yield Firefox(session)
                    session.call("browser.close")
                process.wait(PATIENCE)
            finally:
                process.kill()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address of the WebSocket, which Firefox prints when it listens."""

    def printed() -> str | None:
        text = log.read_text("utf-8")
        assert process.poll() is None, f"Firefox has ended:\n{text}"
        found = re.search(r"WebDriver BiDi listening on (ws:\S+)\n", text)
        return found and found[1]

    return f"{_poll(printed, START, 'Firefox prints its address')}/session"


def _poll(get: Callable[[], Any], seconds: float, goal: str) -> Any:
    """Call a function until its result is true, and return the result."""
    deadline = time.monotonic() + seconds
    while not (result := get()):
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {goal}"
        time.sleep(INTERVAL)
    return result
