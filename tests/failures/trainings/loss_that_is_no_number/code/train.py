import math

loss, rate = 1.0, 3.0
for epoch in range(2000):
    loss = loss * (1 - 2 * rate)
    if not math.isfinite(loss * loss):
        raise ValueError(f"loss is {loss * loss} in epoch {epoch}: nan or inf")
