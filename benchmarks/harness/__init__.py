"""How strategies are measured: proven exact, costed, timed in rounds, and shown to the person who watches."""
