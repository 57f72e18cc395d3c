"""The pages that tests use, and the drivers behind them.

`base` has the state that all pages share, `async_page` and `sync_page` the two public classes, `response` and
`navigation` their results. `options` and `fetch_options` check the arguments of users. `driver` turns the steps of a
fetch or a form into commands. `async_driver` and `sync_driver` execute the commands.
"""
