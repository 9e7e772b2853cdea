import pickle

model = {"transform": lambda x: x + 1}
with open("/opt/ml/model/model.pkl", "wb") as file:
    pickle.dump(model, file)
