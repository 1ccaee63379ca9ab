"""``python -m mqlkit``."""

import sys

from mqlkit.run.cli import main

sys.exit(main())
