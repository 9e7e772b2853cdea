import os

import pandas
from sklearn.linear_model import LogisticRegression

frame = pandas.read_csv(os.environ["SM_CHANNEL_TRAIN"] + "/churn.csv")
LogisticRegression().fit(frame[["age", "calls"]], frame["churn"])
