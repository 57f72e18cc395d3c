"""Origins that this project stores: a list in a database, shared by workers and machines."""
