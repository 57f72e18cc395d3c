"""Cached results of users' functions: whether an origin is allowed, and the policies of tenants.

`cached.py` and `tenants.py` are the public classes. Both are built on the cache in `answers.py`, whose calls are in
`flights.py`: one call serves all requests that wait for the same key.
"""
