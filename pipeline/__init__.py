"""SIMSPINE's processing without a window: data, geometry, files, jobs and the command line."""

import os

# Our matrices are small and our workers are processes: threads in BLAS only wait for each other
# (the batch solve of 20 000 frames took 1.5 times as long with two). Read when NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.2.0"
