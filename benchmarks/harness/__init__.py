"""How contenders are measured: they are proven exact, costed, and timed in rounds."""
