"""Servers with one known mistake each, and healthy ones. The tests start and stop them."""
