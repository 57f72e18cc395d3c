"""The recipes of docs/recipes.md, each served by a real server and used as its docstring says."""
