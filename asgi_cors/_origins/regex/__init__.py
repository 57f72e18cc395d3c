"""What a regular expression can match, computed from its syntax: origins, and the cost of a match."""
