"""Origins that change at run time, behind real servers: uvicorn and others, SQLite files and Redis."""
