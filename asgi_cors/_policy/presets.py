"""The methods and headers that known protocols need from pages of other origins: a table, with its sources.

A preset never adds an origin or credentials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .options import parse_known_names

if TYPE_CHECKING:
    from asgi_cors._errors import OptionIssues

    from .options import Names


class Preset(NamedTuple):
    """The names that a protocol needs.

    Args:
        methods: Methods.
        headers: Request headers, in lower case.
        exposed: Response headers that the protocol's clients read.
        source: The document that lists them.
        date: The date of that version of the document or, if it has none, the date of the comparison with it.
    """

    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    source: str
    date: str


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
            "modelcontextprotocol/python-sdk pull request 2957, SEP-2243; "
            "dpop and dpop-nonce: SEP-1932, sent by @modelcontextprotocol/client 2.4"
        ),
        date="2026-06-26",
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
        source="connectrpc/cors-go 0.1.0, cors.go, without accept-encoding, which no script can set",
        date="2024-01-12",
    ),
    "grpc-web": Preset(
        methods=("POST",),
        headers=("content-type", "grpc-timeout", "x-grpc-web", "x-user-agent"),
        exposed=("grpc-status", "grpc-message", "grpc-status-details-bin"),
        source="connectrpc.com/docs/cors",
        date="2026-11-22",
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
        source="tus/tusd, pkg/handler/config.go, DefaultCorsConfig, without x-http-method-override",
        date="2026-11-22",
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
        source="bigskysoftware/htmx, reference.md at 0083d69; four.htmx.org/reference/headers for version 4",
        date="2026-11-22",
    ),
    "opentelemetry": Preset(
        methods=(),
        headers=("traceparent", "tracestate", "baggage"),
        exposed=(),
        source="W3C Trace Context and W3C Baggage",
        date="2026-11-22",
    ),
    "sentry": Preset(
        methods=(),
        headers=("sentry-trace", "baggage", "traceparent"),
        exposed=(),
        source="docs.sentry.io/platforms/javascript/tracing/distributed-tracing/dealing-with-cors-issues",
        date="2026-11-22",
    ),
}


def parse_presets(value: object, issues: OptionIssues) -> tuple[str, ...]:
    """Parse `presets`: names of `PRESETS`."""
    return parse_known_names(value, PRESETS, issues, "preset")


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
