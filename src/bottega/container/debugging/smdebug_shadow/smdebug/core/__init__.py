"""The parts of smdebug's core that scripts name."""
