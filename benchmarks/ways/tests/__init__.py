"""Tests of the ways to answer requests."""
