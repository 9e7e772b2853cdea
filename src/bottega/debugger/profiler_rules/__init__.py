"""The profiler's rules: where a training waits, seen in samples of the machine and in phases.

``profile.ProfileReader`` reads the files of a profile as they grow; ``registry.built_in`` makes a
rule, which is shown what is new and says what it found.
"""
