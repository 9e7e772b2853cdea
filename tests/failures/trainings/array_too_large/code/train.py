import numpy

rows = columns = 2_000_000
distances = numpy.ones((rows, columns))
