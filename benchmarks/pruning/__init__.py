"""Decode less, exactly: plan which packets the requested frames need, cut them out, decode them anywhere.

packets.py  which packets does the file hold, and what does the codec say of each?
plan.py     which of them do the requested frames need, in which self-contained runs?
excerpt.py  the packets of a run, as a small video in memory, and its decoding
"""
