"""Tests of gate, and what they are made with."""
