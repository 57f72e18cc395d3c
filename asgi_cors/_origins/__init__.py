"""The origins that exist, and the sets of them: parsing, patterns, regular expressions, suffixes."""
