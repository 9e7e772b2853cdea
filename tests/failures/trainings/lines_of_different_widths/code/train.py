import os

import pandas

pandas.read_csv(os.environ["SM_CHANNEL_TRAIN"] + "/churn.csv")
