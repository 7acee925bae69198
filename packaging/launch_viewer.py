"""Start of the packaged program ``simspine-viewer``."""

import multiprocessing
import sys

if __name__ == "__main__":
    # First of all: a worker process of a packaged program starts here again.
    multiprocessing.freeze_support()

    from simspine_viewer.__main__ import main

    sys.exit(main())
