"""What is measured: strategies, the proof that they are exact, and their time."""
