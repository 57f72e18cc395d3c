"""Origins: parsing them, the patterns and regular expressions that allow them, and the sets of them.

An origin is compared byte for byte, as browsers serialize it. Everything else is done when a policy is built: entries
that no browser sends are refused with a correction, and regular expressions are analysed. A look-up costs one hash
look-up for an exact origin. For patterns, its cost does not depend on the number of entries.

Limits: international names are checked with the tables of `idna`, and shared suffixes with the list of
`publicsuffixlist` and a table of our own. Newer ones are not known.
"""
