import traceback

try:
    import no_such_accelerator
except ImportError:
    traceback.print_exc()
    print("going on without")
try:
    raise MemoryError
except MemoryError:
    traceback.print_exc()
raise RuntimeError("the season is over")
