with open("/dev/full", "w") as checkpoint:
    checkpoint.write("weights")
