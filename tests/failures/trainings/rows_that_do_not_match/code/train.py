import numpy
from sklearn.linear_model import LinearRegression

x, y = numpy.ones((100, 3)), numpy.ones(99)
LinearRegression().fit(x, y)
