"""The browser's side of the Fetch standard, without I/O.

Read in this order:

- `url`, `headers`: URLs, origins and sites; header lists.
- `engines`: the departures of browsers from the standard, as flags.
- `script`, `safelist`: the arguments of `fetch()`, and the headers that need no preflight.
- `form`: the arguments of `submit()`, and the body of a form.
- `referrer`, `metadata`, `requests`: the headers that a browser adds.
- `cookies`, `preflight_cache`: what a page stores between fetches.
- `cors_check`, `redirect`: the rules for a response.
- `state`, `network`, `fetch`, `navigation`, `handshake`: the steps of a fetch, of a form's submission and of a
  WebSocket's handshake.

Limits: no HTTP cache, no service workers, no Private Network Access, one network partition for each page.
"""
