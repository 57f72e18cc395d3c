"""One request under one policy, without I/O."""
