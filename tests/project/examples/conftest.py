"""The browser needs httpx, which is an extra."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("httpx") else ["test_*.py"]
