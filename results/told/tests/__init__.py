"""Tests of told, and what they are made with."""
