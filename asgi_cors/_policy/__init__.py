"""The options of a policy: parsed, checked for risks, and compiled for requests.

`policy` has `Policy`. `options` parses each option, `risks` checks combinations of options, `compiled` builds the sets
and header values for requests, and `mapping` converts options to and from text, such as environment variables.

The package does not call the callables of a policy, and does not know requests: `_decision` applies a policy to one.
"""
