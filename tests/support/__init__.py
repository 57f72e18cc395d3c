"""Apps, clients, event loops, expected headers and other parts that several tests share."""
