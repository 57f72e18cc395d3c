"""Regular expressions for origins and paths: the origins that one allows, and how long a match can take.

An expression is parsed into a graph of its letters (`graph.py`). The paths through the graph show how many steps a
match takes (`paths.py`, `cost.py`), and which origins it allows (`analysis.py`). `hints.py` finds corrections.

Limits: back-references and conditional groups are not analysed, nor are very large expressions. They are refused.
Look-arounds are ignored: an expression that is safe only because of them is refused, too.
"""
