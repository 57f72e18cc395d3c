"""One request under one policy.

`request` reads a scope, `decision` applies the rules, and `explanation` describes a decision as text. `safelist` tells
which request headers need a preflight. Nothing here does I/O, knows a path, or calls a user's function, except that
`explain` calls the synchronous callables of a policy.
"""
