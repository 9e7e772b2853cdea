"""Numbers over time: what was measured, kept as statistics, and what alarms make of it."""
