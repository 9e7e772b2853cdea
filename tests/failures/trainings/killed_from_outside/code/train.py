import os
import signal

print("epoch 1", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
