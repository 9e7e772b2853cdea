def deep():
    raise ValueError("the boat is full")


deep()
