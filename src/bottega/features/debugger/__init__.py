"""The Debugger: rules evaluated while a training runs, what they found, what is done about it; the
tensors and the profile of a training, for screens."""
