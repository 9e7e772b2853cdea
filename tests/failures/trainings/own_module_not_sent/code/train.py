from utils import clean

clean()
