import pandas

frame = pandas.read_csv("/home/me/data/churn.csv")
