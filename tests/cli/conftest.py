"""The suite of the command line; the modules beside it are importable wherever pytest is started."""

import importlib.util

# Without the extra [cli] there is nothing to test here.
_missing = [name for name in ("click", "httpx", "rich") if importlib.util.find_spec(name) is None]
collect_ignore_glob = ["test_*.py"] if _missing else []
