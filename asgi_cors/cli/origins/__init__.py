"""`origins`: the origins of a registry, read and changed in its store."""
