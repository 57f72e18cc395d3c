"""Read the CORS settings of other libraries in source code, without running it, and report what is wrong in them.

`files` finds and parses the files, `values` evaluates literals, `setups` finds the settings of each of the `libraries`,
`rules` checks them with a `Policy`, and `rewrite` writes the line for asgi_cors, and the change of the import.
"""
