import os

epochs = int(os.environ["SM_HP_EPOCHS"])
