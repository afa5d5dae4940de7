"""The sync2gear speaker: makes its zone's timeline audible."""

import os

# before anything loads numpy: products as small as a block's gain nothing by a second thread, which
# would then spin and wait for more of them
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
