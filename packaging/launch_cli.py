"""Start of the packaged program ``simspine``."""

import multiprocessing
import sys

if __name__ == "__main__":
    # First of all: a worker process of a packaged program starts here again.
    multiprocessing.freeze_support()

    from pipeline.cli.main import main

    sys.exit(main())
