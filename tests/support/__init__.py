"""What the suite drives the core with: apps, shells, runners, the browser's half of the checks."""
