"""The methods and headers that known protocols need from pages of other origins: a table, with its sources.

A preset never adds an origin or credentials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asgi_cors._errors import Issue, OptionIssues, show

from .options import list_of

if TYPE_CHECKING:
    from .options import Names


class Preset(NamedTuple):
    """The names that a protocol needs.

    Args:
        methods: Methods.
        headers: Request headers, in lower case.
        exposed: Response headers that the protocol's clients read.
        source: The document that lists them, with its date.
    """

    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    source: str


PRESETS: Final[Mapping[str, Preset]] = {
    "mcp": Preset(
        methods=("GET", "POST", "DELETE"),
        headers=(
            "authorization",
            "content-type",
            "last-event-id",
            "mcp-protocol-version",
            "mcp-session-id",
            "mcp-method",
            "mcp-name",
            "mcp-param-*",
            "dpop",
        ),
        exposed=("mcp-session-id", "www-authenticate", "mcp-protocol-version", "last-event-id", "dpop-nonce"),
        source=(
            "modelcontextprotocol/python-sdk pull request 2957 (2026-06-26), SEP-2243; "
            "dpop and dpop-nonce: SEP-1932, sent by @modelcontextprotocol/client 2.4"
        ),
    ),
    "connect": Preset(
        methods=("GET", "POST"),
        headers=(
            "content-type",
            "connect-protocol-version",
            "connect-timeout-ms",
            "connect-accept-encoding",
            "connect-content-encoding",
            "content-encoding",
        ),
        exposed=("content-encoding", "connect-content-encoding"),
        source="connectrpc/cors-go cors.go (2023); its accept-encoding is a forbidden name, left out",
    ),
    "grpc-web": Preset(
        methods=("POST",),
        headers=("content-type", "grpc-timeout", "x-grpc-web", "x-user-agent"),
        exposed=("grpc-status", "grpc-message", "grpc-status-details-bin"),
        source="connectrpc.com/docs/cors",
    ),
    "tus": Preset(
        methods=("POST", "HEAD", "PATCH", "DELETE", "GET"),
        headers=(
            "authorization",
            "x-requested-with",
            "x-request-id",
            "content-type",
            "tus-resumable",
            "upload-length",
            "upload-offset",
            "upload-metadata",
            "upload-defer-length",
            "upload-concat",
            "upload-incomplete",
            "upload-complete",
            "upload-draft-interop-version",
        ),
        exposed=(
            "location",
            "tus-version",
            "tus-resumable",
            "tus-max-size",
            "tus-extension",
            "upload-length",
            "upload-offset",
            "upload-metadata",
            "upload-defer-length",
            "upload-concat",
            "upload-incomplete",
            "upload-complete",
            "upload-draft-interop-version",
        ),
        source="tus/tusd pkg/handler/config.go at 8c9fa01, without x-http-method-override; look the newest up",
    ),
    "htmx": Preset(
        methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
        headers=(
            "hx-boosted",
            "hx-current-url",
            "hx-history-restore-request",
            "hx-prompt",
            "hx-request",
            "hx-target",
            "hx-trigger",
            "hx-trigger-name",
            "hx-request-type",
            "hx-source",
        ),
        exposed=(
            "hx-location",
            "hx-push-url",
            "hx-redirect",
            "hx-refresh",
            "hx-replace-url",
            "hx-reswap",
            "hx-retarget",
            "hx-reselect",
            "hx-trigger",
            "hx-trigger-after-settle",
            "hx-trigger-after-swap",
        ),
        source="bigskysoftware/htmx reference.md at 0083d69; hx-request-type and hx-source are of version 4",
    ),
    "opentelemetry": Preset(
        methods=(),
        headers=("traceparent", "tracestate", "baggage"),
        exposed=(),
        source="W3C Trace Context and Baggage",
    ),
    "sentry": Preset(
        methods=(),
        headers=("sentry-trace", "baggage", "traceparent"),
        exposed=(),
        source="docs.sentry.io, dealing with CORS issues",
    ),
}


def parse_presets(value: Any, issues: OptionIssues) -> tuple[str, ...]:
    """Parse `presets`: names of `PRESETS`."""
    names = list_of((value,) if isinstance(value, str) else value)
    if names is None:
        issues.add_wrong_type(value, "a name, or a list of names", "Write presets=['mcp'].")
        return ()
    for name in names:
        if not isinstance(name, str):
            issues.add_wrong_type(name, "a string", "Write presets=['mcp'].")
        elif name not in PRESETS:
            hint = Issue.unknown(name, PRESETS).hint
            issues.add("unknown-preset", name, f"there is no preset {show(name)}", hint)
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name in PRESETS))


def with_presets(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a policy with the names of its presets added to its lists."""
    presets = [PRESETS[name] for name in options["presets"]]
    return {
        **options,
        "allow_methods": _joined(options["allow_methods"], (preset.methods for preset in presets)),
        "allow_headers": _joined(options["allow_headers"], (preset.headers for preset in presets)),
        "expose_headers": _joined(options["expose_headers"], (preset.exposed for preset in presets)),
    }


def _joined(names: Names, more: Iterable[tuple[str, ...]]) -> Names:
    """Return names and those of presets, without duplicates; letter case does not count."""
    if names == "*":
        return "*"
    joined = {name.lower(): name for name in names}
    for each in more:
        for name in each:
            joined.setdefault(name.lower(), name)
    return tuple(joined.values())
