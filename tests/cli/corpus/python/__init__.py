"""Python frameworks as users set them up. `serve.py` serves each module in a process of its own."""
