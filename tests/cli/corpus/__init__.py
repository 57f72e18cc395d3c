"""Servers that are broken in one known way each, and some that are in order; started and stopped by the tests."""
