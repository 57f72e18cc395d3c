"""The reference clients of the presets' protocols, in a real browser and against a real server."""
