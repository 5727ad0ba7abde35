"""Tests of the whole suite: pytest is run on it as its users do."""
