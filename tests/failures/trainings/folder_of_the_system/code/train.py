open("/usr/lib/model.bin", "wb").write(b"weights")
