"""The options of a policy: parsed, checked for risks, and compiled for requests.

`Policy` is the only entrance. `options` parses each option on its own, `risks` checks combinations, `mapping` parses
environment variables, and `compiled` holds the sets and header values that decisions use. The package knows no request.
Whether an origin is allowed is a question for `_origins`.
"""
