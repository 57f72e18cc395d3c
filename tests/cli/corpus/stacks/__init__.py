"""Real stacks as users set them up, each with the cases on which the doctor is tested."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from . import express, flask_cors, nginx, python, python_cases, starlette
from .case import Case


@dataclass(frozen=True)
class Stack:
    """A stack: the function that serves it from a temporary folder, and its cases."""

    start: Callable[[Path], AbstractContextManager[str]]
    broken: tuple[Case, ...]
    healthy: tuple[Case, ...]


STACKS = {
    "nginx": Stack(nginx.start, nginx.BROKEN, nginx.HEALTHY),
    "express": Stack(express.start, express.BROKEN, express.HEALTHY),
    "flask-cors": Stack(flask_cors.start, flask_cors.BROKEN, flask_cors.HEALTHY),
    "starlette": Stack(starlette.start, starlette.BROKEN, starlette.HEALTHY),
}
STACKS |= {
    name: Stack(start, python_cases.BROKEN[name], python_cases.HEALTHY[name]) for name, start in python.STARTS.items()
}
