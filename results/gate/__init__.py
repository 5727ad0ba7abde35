"""The gate: how two sides are measured in lockstep, and the rules by which the verdict is given."""
