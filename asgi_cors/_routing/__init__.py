"""Which policy serves a request: that of its view, `policy_for`'s, that of its path, or the base policy.

`rules` applies these in order. `paths` matches path patterns, and `route_path` knows in which other ways routers read a
path. An adapter finds the view. Nothing here reads an origin or makes a decision.
"""
