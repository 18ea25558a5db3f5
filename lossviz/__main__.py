"""`python -m lossviz` is the `lossviz` command."""

import sys

from lossviz.cli import main

if __name__ == "__main__":
    sys.exit(main())
