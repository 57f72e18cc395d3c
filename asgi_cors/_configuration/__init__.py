"""The options in force: evaluation, look-ups, sources of origins, log and cache.

A `Configuration` holds one `Evaluator`, the compiled form of all options, and replaces it as a whole. An evaluator owns
its caches. It fails closed: if a user's callable raises or times out, the request is refused, and the log says why.

A source of origins (`OriginSource`) returns its answer with leases, which say how long the answer holds. The cache
stores responses with these leases. `calls` runs users' functions in an empty context, never in that of a request.

Limits: caches and the log belong to one process. An identical refusal is logged once a minute.
"""
