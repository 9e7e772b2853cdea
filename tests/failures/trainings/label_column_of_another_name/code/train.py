import os

import pandas

frame = pandas.read_csv(os.environ["SM_CHANNEL_TRAIN"] + "/churn.csv")
y = frame["Churn"]
