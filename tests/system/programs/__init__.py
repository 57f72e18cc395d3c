"""Programs that the tests run. They are not imported."""
