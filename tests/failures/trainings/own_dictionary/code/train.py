prices = {"a": 1}
print(prices["churn"])
