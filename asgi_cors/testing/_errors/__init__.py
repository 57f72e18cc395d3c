"""The errors of a fetch, their texts, and their tracebacks.

`failure` describes a blocked request. `messages` has the texts of a CORSError, `console` those of each browser's
console. `errors` has the classes. `suggestions` finds the name that was probably meant. `tracebacks` removes
the frames of this package.

Limit: the consoles' texts are those of the versions that `_fetch.engines` names.
"""
