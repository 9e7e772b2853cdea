import sys

print("No module named luck, going on; error: unrecognized arguments: --none")
print("CUDA out of memory? No: no GPU is used. No space left on device? There is.")
sys.exit(4)
