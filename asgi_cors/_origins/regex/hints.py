"""The mistakes in a regular expression, and corrections for slow and unsafe ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from asgi_cors._errors import Issue, OptionIssues, name_origins
from asgi_cors._origins.origin import top_level_domains

from .analysis import analyse
from .cost import slow_text
from .graph import UnsupportedError, parse_graph, text_alphabet
from .paths import MAX_STEPS

_ATOM: Final = r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|[\w.-]"
# `([a-z]+-?)+` is `([a-z]-?)+`: the outer loop repeats the letter already.
# Compiled by `re` when they are first used: most policies have no mistake.
_LOOP_IN_LOOP: Final = rf"\((\?:|\?P<\w+>|)({_ATOM})(?:\+|\{{1,\d+\}})((?:(?:{_ATOM})\?)*)\)([+*])"
_ORIGIN_OPTIONS: Final = frozenset({"allow_origins", "allow_origin_regex", "csrf_trusted_origins"})
_MAX_SHOWN: Final = 2000  # characters
_ESCAPE: Final = r"Write '\.' for a dot."
_HTTP: Final = (  # pages of localhost have no https
    r"(?:https\?|http\[s\]\?|http\(s\|?\)\??|\((?:\?:)?https?\|https?\)|http)(?=:)(?!:(?:\\?/){2}(?:localhost|127\b))"
)
_BARE_DOT: Final = r"(?<=[\w)*+])(?<!\\\w)\.(?=\w)"
_SUBDOMAINS: Final = rf"(?<=/)(\(?)({_ATOM}|\.)([*+])(\)?)(?=[a-z0-9])"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789-."
_ANY_END: Final = (
    r"((?P<local>localhost|127(?:\\?\.0){2}\\?\.1)|(?:\\\.|\[\.\]|\.)(?P<top>[a-z]{2,}))(?:\.[*?]|\(\.\*\))\$?$"
)


def check_regex(regex: re.Pattern[str], issues: OptionIssues) -> None:
    """Add an issue for each mistake in a regular expression for origins, and a warning for each probable one."""
    source, analysis = regex.pattern, analyse(regex)
    cost = _cost_issue(regex, issues.option, analysis.unsupported, analysis.ambiguous_text)
    if cost:
        issues.errors.append(cost)
    if analysis.has_bare_dot:
        issues.warn("regex-dot", source, f"{source!r} has an unescaped dot, which matches any character", _ESCAPE)
    if analysis.matches_no_origin and "(?!)" not in source:  # which matches nothing on purpose
        message = f"{source!r} matches no origin: browsers send scheme://host[:port], in lower case and without a path"
        issues.warn("regex-matches-nothing", source, message, name_origins(issues.option))


def path_cost_issue(regex: re.Pattern[str], option: str) -> Issue | None:
    """Return an issue if a regular expression for paths takes too long, or cannot be analysed."""
    alphabet = text_alphabet(regex.pattern)
    try:
        return _cost_issue(regex, option, "", slow_text(parse_graph(regex, alphabet), (1 << len(alphabet)) - 1))
    except UnsupportedError as error:
        return _cost_issue(regex, option, str(error), None)


def _cost_issue(regex: re.Pattern[str], option: str, unsupported: str, slow: str | None) -> Issue | None:
    source = regex.pattern
    shown = repr(source) if len(source) <= _MAX_SHOWN else f"{source[:_MAX_SHOWN]!r}…"
    if unsupported:
        message = f"{shown} has {unsupported}, so the time that it takes is not known"
        return Issue("regex-unsupported", option, source, message, _advice(option))
    if slow is None:
        return None
    message = f"{shown} takes over {MAX_STEPS:,} steps for {slow!r}, and no other request is served meanwhile"
    better = re.sub(_LOOP_IN_LOOP, r"(\1\2\3)\4", source)
    is_better = better != source and path_cost_issue(re.compile(better, regex.flags & ~re.DEBUG), "") is None
    hint = _line(better, regex, option) if is_better else _advice(option)
    return Issue("regex-backtracking", option, source, message, hint)


def risk_hint(regex: re.Pattern[str], option: str) -> str:
    """Return the hint for a regular expression that is unsafe with credentials."""
    for better in _narrower(regex.pattern):
        if better != regex.pattern and _is_safe(better, regex.flags):
            return _line(better, regex, option)
    return _advice(option)


def _narrower(source: str) -> Iterator[str]:
    """Yield corrected forms that allow less, each with one more correction."""
    yield (source := re.sub(_HTTP, "https", source))
    yield (source := re.sub(_SUBDOMAINS, _subdomains, source))
    yield (source := re.sub(_ANY_END, _end, source))
    yield re.sub(_BARE_DOT, r"\\.", source)


def _subdomains(found: re.Match[str]) -> str:
    """Replace any text in front of a domain by any labels, if the text can be any labels."""
    begin, atom, repeat, end = found.groups()
    is_any = len(begin) == len(end) and all(re.fullmatch(atom, letter) for letter in _LETTERS)
    return rf"(?:[a-z0-9-]+\.){repeat}" if is_any else found[0]


def _end(found: re.Match[str]) -> str:
    """Remove any text behind a host. Behind a loopback host, a port is meant."""
    if found["local"]:
        return found[1] + "(?::[0-9]+)?"
    return found[1] if found["top"] in top_level_domains() else found[0]


def _is_safe(source: str, flags: int) -> bool:
    try:
        analysis = analyse(re.compile(source, flags & ~re.DEBUG))
    except re.error:
        return False
    return not (analysis.unsupported or analysis.ambiguous_text or analysis.witnesses or analysis.matches_no_origin)


def _line(source: str, regex: re.Pattern[str], option: str) -> str:
    flags = re.RegexFlag(regex.flags & ~(re.UNICODE | re.DEBUG))
    if option == "allow_origin_regex" and not flags:
        return f"Write {option}={source!r}."
    return f"Write re.compile({source!r}{f', {flags!r}' if flags else ''})."


def _advice(option: str) -> str:
    if option in _ORIGIN_OPTIONS:
        return name_origins(option)
    return "Write a path, or '/prefix/*' for all paths below it."


def owner(origin: str) -> str:
    """Describe who has an origin, such as `origin`, that an expression for any origin allows."""
    is_address = re.search(r"//(?:[0-9.]+|\[.*\])(?::[0-9]+)?$", origin)
    return "any server with such an address" if is_address else "another site"
