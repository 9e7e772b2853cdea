"""The rules of SageMaker Debugger: what goes wrong in a training, seen in its tensors.

A rule looks at one step after the other and says what it found. ``registry.built_in`` makes a rule
of its name and the texts of a request; ``custom.load`` makes one of a user's file.
"""
