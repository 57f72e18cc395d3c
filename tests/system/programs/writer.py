"""Add origins to a registry until the process is killed, and print the number of each one after its acknowledgement.

python writer.py STORE FIRST
"""

import itertools
import sys

from asgi_cors.registry import open_registry

registry = open_registry(sys.argv[1]).sync
for number in itertools.count(int(sys.argv[2])):
    registry.add(f"https://n{number}.example.com", by="writer")
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()
