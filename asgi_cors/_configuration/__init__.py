"""The options in force: evaluation, look-ups, log and cache.

A `Configuration` holds one `Evaluator`, the compiled form of all options, and replaces it as a whole. An evaluator owns
its caches. It fails closed: if a user's callable raises or times out, the request is refused, and the log says why.

Limits: caches and the log belong to one process. An identical refusal is logged once a minute.
"""
