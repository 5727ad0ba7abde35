"""Tests of the library; they are not installed with it."""
