"""Check a server in any language against one declared expectation.

`expectation` parses the declaration. `cases` derive requests from it, `session` sends them as three browsers do, and
`run` collects the results. `report` and `junit` show them. `case` has the kinds of cases, and `clauses` the standards.

- A required case compares the verdicts of the engines of `asgi_cors.testing` with the declaration, and nothing else.
- An unsafe method is never sent, unless the user allows it. The verdict on its preflight suffices.
"""
