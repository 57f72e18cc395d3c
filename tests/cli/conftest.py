"""Skip the tests of the command line if a library of the extra is missing."""

import importlib.util

_missing = [name for name in ("click", "h2", "httpx", "rich") if importlib.util.find_spec(name) is None]
collect_ignore_glob = ["*test_*.py"] if _missing else []
