"""Print a command of the README: `run` is the first code block at its top, `test` the second."""

import re
import sys
from pathlib import Path

readme = Path(__file__).parent.parent.joinpath("README.md").read_text("utf-8")
blocks = re.findall(r"^```(?:sh|bash)\n(.+?)\n```$", readme, re.MULTILINE | re.DOTALL)
print(blocks[{"run": 0, "test": 1}[sys.argv[1]]])
