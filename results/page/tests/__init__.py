"""Tests of page, and what they are made with."""
