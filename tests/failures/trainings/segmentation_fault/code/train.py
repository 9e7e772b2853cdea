import ctypes

print("loading", flush=True)
ctypes.string_at(0)
