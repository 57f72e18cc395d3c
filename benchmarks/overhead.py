"""Measure the cost of a CORS middleware per request, in nanoseconds over the app alone: no server, no event loop.

python benchmarks/overhead.py [--processes 3] [--rounds 15]
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import statistics
import subprocess
import sys
import warnings
from itertools import product
from typing import Any, Final, NamedTuple

import report
from contenders import BARE, CONTENDERS, DJANGO, DJANGO_BARE, DJANGO_OURS, LIMIT, OURS, STARLETTE
from policies import POLICIES, Policy, Spends
from traffic import ALLOWED, CHUNKS, LAYOUT, OWN, STRANGER, app, scopes, streaming

REQUESTS: Final = 150  # in a turn
WARM: Final = 2


class Row(NamedTuple):
    """A kind of request."""

    title: str
    origin: str | None = ALLOWED
    preflight: bool = False
    streaming: bool = False
    method: str = "GET"
    site: str = "cross-site"


PICTURED: Final = "one origin"
CHUNK: Final = "body chunk"
REFUSED: Final = "actual, refused"
CONDITIONS: Final = [policy.title for policy in POLICIES if policy.condition]
ROWS: Final = (
    Row("no Origin", None),
    Row("actual, allowed"),
    Row(REFUSED, STRANGER),
    Row("POST, allowed", method="POST"),
    Row("POST of an own page", OWN, method="POST", site="same-origin"),
    Row("preflight, allowed", preflight=True),
    Row("preflight, refused", STRANGER, preflight=True),
    Row(CHUNK, streaming=True),
)

Key = tuple[str, str, str]  # policy, row, contender
Times = dict[Key, list[float]]


def measure(rounds: int) -> Times:
    """Let every contender serve every kind of request under every policy, `rounds` times."""
    warnings.simplefilter("ignore")  # of policies that no one should have
    served = {
        (policy.title, row.title, contender.title): contender.make(streaming if row.streaming else app, policy)
        for policy, row, contender in product(POLICIES, ROWS, CONTENDERS)
        if _is_measured(policy, row, contender.title)
    }
    logging.getLogger().setLevel(logging.WARNING)  # Python's own default, which Litestar changes
    times: Times = {}
    for turn in range(-WARM, rounds):
        for policy, row, contender in product(POLICIES, ROWS, CONTENDERS):
            key = policy.title, row.title, contender.title
            spends = served.get(key)
            spent = _turn(spends, policy, row) if spends else 0.0
            if spends and turn >= 0:
                times.setdefault(key, []).append(spent)
    return times


def _is_measured(policy: Policy, row: Row, contender: str) -> bool:
    """Return whether there is such a request: `*` refuses none, and asgi-cors leaves preflights to the app.

    The method counts only under some options.
    """
    if row.origin == STRANGER and "*" in policy.origins:
        return False
    if row.method == "POST" and not (policy.condition or policy.title == PICTURED):
        return False
    return not (row.preflight and contender in {BARE, DJANGO_BARE, "asgi-cors"})


def _turn(spends: Spends, policy: Policy, row: Row) -> float:
    """Serve some requests with the garbage collector off: what it collects would be the requests of others."""
    requests = scopes(
        REQUESTS, origin=row.origin, preflight=row.preflight, path=policy.path, method=row.method, site=row.site
    )
    gc.collect(0)
    gc.disable()
    try:
        return spends(requests)
    finally:
        gc.enable()


def added(times: Times, key: Key) -> list[float]:
    """Return the time that a contender adds in each round: to a request, or to a chunk of its body."""
    policy, row, contender = key
    bare = DJANGO_BARE if contender in {DJANGO, DJANGO_OURS} else BARE
    if "preflight" in row or (policy, row, contender) == ("enforce", REFUSED, OURS):  # neither reaches the app
        return times[key]
    over = [spent - alone for spent, alone in zip(times[key], times[policy, row, bare], strict=True)]
    if row != CHUNK:
        return over
    rest = added(times, (policy, "actual, allowed", contender))
    return [(whole - start) / CHUNKS for whole, start in zip(over, rest, strict=True)]


def to_be_reached(times: Times) -> dict[str, Any]:
    """Compare with Starlette and with the limit: medians of the ratios of every round."""
    rows = []
    for policy, row in dict.fromkeys(key[:2] for key in times):
        ours, least, starlette = (_added_by(times, policy, row, name) for name in (OURS, LIMIT, STARLETTE))
        against = [f"1/{_ratio(starlette, ours):.2f}" if starlette else "", f"{_ratio(ours, least):.2f}"]
        rows.append([f"{policy}: {row}", *against])
    return report.table("Ours, as a ratio", ["", "to Starlette's", "to the one by hand"], rows)


def conditions(times: Times) -> dict[str, Any]:
    """Compare the policies with a condition to the same policy without one, in which every option is off."""
    rows = []
    for row in (row.title for row in ROWS if row.title != CHUNK):
        # A policy without `csrf_protection` caches no more than the headers of a refusal for an own page's origin
        plain = added(times, (PICTURED, "POST, allowed" if row.startswith("POST") else row, OURS))
        rows.append([row, *(f"{_ratio(added(times, (title, row, OURS)), plain):.2f}" for title in CONDITIONS)])
    return report.table(f"Ours, as a ratio to the policy: {PICTURED}", ["", *CONDITIONS], rows)


def _ratio(values: list[float], others: list[float]) -> float:
    return statistics.median(value / other for value, other in zip(values, others, strict=True))


def _added_by(times: Times, policy: str, row: str, contender: str) -> list[float]:
    return added(times, (policy, row, contender)) if (policy, row, contender) in times else []


def everyone(times: Times) -> dict[str, Any]:
    """List what every contender adds: median and quartiles."""
    names = [contender.title for contender in CONTENDERS if contender.title not in {BARE, DJANGO_BARE}]
    rows = [
        [f"{policy}: {row}", *(_spread(_added_by(times, policy, row, name)) for name in names)]
        for policy, row in dict.fromkeys(key[:2] for key in times)
    ]
    return report.table("Nanoseconds added: median (quartiles)", ["", *names], rows)


def _spread(values: list[float]) -> str:
    if not values:
        return "-"
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:,.0f} ({low:,.0f}-{high:,.0f})"


def pictured(times: Times) -> dict[str, Any]:
    """Draw what one policy costs."""
    groups: dict[str, dict[str, float]] = {}
    for policy, row, contender in times:
        if policy == PICTURED and row != CHUNK and contender not in {BARE, DJANGO_BARE}:
            groups.setdefault(row, {})[contender] = statistics.median(added(times, (policy, row, contender)))
    return report.bars(f"Nanoseconds added to a request; policy: {PICTURED}", groups)


def main() -> None:
    """Measure in several processes, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=15, help="in each process")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps([[*key, values] for key, values in measure(options.rounds).items()]))
        return
    times: Times = {}
    command = [sys.executable, __file__, "--child", f"--rounds={options.rounds}"]
    for layout in range(options.processes):
        env = os.environ | {LAYOUT: str(layout)}
        for *key, values in json.loads(subprocess.check_output(command, env=env)):  # noqa: S603 - this very file
            times.setdefault((key[0], key[1], key[2]), []).extend(values)
    parts = [pictured(times), to_be_reached(times), conditions(times), everyone(times)]
    versions = {contender.distribution: contender.version for contender in CONTENDERS if contender.distribution}
    report.save("overhead", versions=versions, parts=parts)
    print(*map(report.text, parts[1:]), sep="\n")


if __name__ == "__main__":
    main()
