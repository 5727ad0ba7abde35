"""A against B: builds both sides, starts them, and measures them in lockstep. It judges nothing."""
