"""The options in force: evaluation, look-ups, log and cache."""
