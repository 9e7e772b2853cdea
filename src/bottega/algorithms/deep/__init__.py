"""What the image algorithms have in common: networks, optimizers, pixels, weights.

Everything here but :mod:`schedules` imports torch or Pillow, so it is imported inside jobs and
model servers only.
"""
