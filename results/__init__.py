"""What came out: saved histories, their comparison, and reports. Works without torch."""
