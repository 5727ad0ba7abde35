"""The page: saved runs as pictures and tables, in one file that opens from disk (python -m results.page)."""
