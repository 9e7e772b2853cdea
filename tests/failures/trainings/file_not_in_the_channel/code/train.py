import pandas

print(len(pandas.read_csv("/opt/ml/input/data/train/customers.csv")))
