"""Lists of origins that a user's function returns as a whole.

`loaded.py` is the public class. It fetches a list (`fetching.py`), compiles it in a thread (`loading.py`), and stores
the last good one in a file (`snapshot.py`).
"""
