"""One request under one policy.

`request` reads a scope, `decision` applies the rules, and `explanation` describes a decision as text. `safelist` finds
the request headers that need a preflight. Nothing here does I/O or knows a path. Only `explain` calls a user's
function: the synchronous callables of a policy.
"""
