"""Check every route of an app, or one live URL, for CORS mistakes.

`app` inspects an app without starting it, and `url` tests a live URL. Both try `attacks`: origins that a careless check
mistakes for an allowed one. `rules` finds mistakes in the `results` of an app, and `report` shows them. Limit: only the
`policy_for` and callables of the policy itself are tested, not the code of the views.
"""
