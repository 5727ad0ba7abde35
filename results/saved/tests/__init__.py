"""Tests of saved, and what they are made with."""
