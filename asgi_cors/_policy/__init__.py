"""The options of a policy, validated and compiled."""
