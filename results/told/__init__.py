"""What is told in text: the table of a run, what it recommends, and two models of what was not measured."""
