"""Measure origins that change at run time: look-ups, lists, registries and fleets of workers.

    python benchmarks/dynamic.py [overhead burst hostile propagation million] [--fast]

- overhead: the time that each kind of entry adds to a request, as a multiple of a static origin's
- burst: the number of calls if a hundred requests come at once
- hostile: a million origins that no one allows, against one worker with `Cached`
- propagation: from a write of the command line to all four workers of two uvicorn servers
- million: a million origins in each store

`--fast` is for trying: fewer and smaller, and nothing is stored. Otherwise the figures are stored, and copied into
docs/dynamic.md. Redis is measured if there is a redis-server. The whole run takes about ten minutes.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import warnings
from collections.abc import Callable
from typing import Any, Final

import dynamic_fleet
import dynamic_requests
import dynamic_size
import report

SECTIONS: Final[dict[str, Callable[[bool], dict[str, Any]]]] = {
    "overhead": dynamic_requests.overhead,
    "burst": dynamic_requests.burst,
    "hostile": dynamic_requests.hostile,
    "propagation": dynamic_fleet.propagation,
    "million": dynamic_size.million,
}


def main() -> None:
    """Measure the sections, and write the results of each one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", help="all, if none is named")
    parser.add_argument("--fast", action="store_true", help="fewer and smaller, and nothing is stored")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    warnings.simplefilter("ignore")
    versions = {name: importlib.metadata.version(name) for name in ("asgi-cors-bridge", "redis", "uvicorn")}
    for name in options.sections or SECTIONS:
        part = SECTIONS[name](options.fast)
        print(report.text(part), flush=True)
        if not options.fast:
            report.save(f"dynamic-{name}", versions=versions, parts=[part])


if __name__ == "__main__":
    main()
