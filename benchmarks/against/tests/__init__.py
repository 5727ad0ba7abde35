"""Tests of against, and what they are made with."""
