"""``python -m pip`` in a job."""

import sys

from bottega.container.pip_command import main

sys.exit(main(sys.argv[1:]))
