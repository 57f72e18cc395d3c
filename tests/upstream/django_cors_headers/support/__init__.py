"""The parts of the tests of django-cors-headers that are not in its sdists: settings, views and helpers."""
