"""The options in force: evaluation, look-ups, sources of origins, log and cache.

A `Configuration` holds one `Evaluator`, the compiled form of all options, and replaces it as a whole. An evaluator owns
its caches. It fails closed: if a user's callable raises or times out, the request is refused, and the log says why.

A source of origins (`OriginSource`) says by leases how long its answer holds, and the cache stores the response with
them. `calls` runs users' functions in an empty context, apart from the request that happens to start them.

Limits: caches and the log belong to one process. An identical refusal is logged once a minute.
"""
