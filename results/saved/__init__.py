"""Saved runs: where they are, what is read of them, whether two can be compared, how they are kept."""
