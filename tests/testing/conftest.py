"""The suite of `asgi_cors.testing`; `truth` and `doubles` beside it are importable wherever pytest is started."""

import importlib.util
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

# Without the extra [testing] only what is said of its absence can be tested.
if importlib.util.find_spec("httpx") is None:
    collect_ignore = [path.name for path in HERE.glob("test_*.py") if path.name != "test_imports.py"]
