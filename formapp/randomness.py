"""Random numbers that needn't be secret: for ids.

A call of the system's own generator hands the interpreter to another thread. Python's shared one
may be seeded by any library, and ids would repeat; so this one is formapp's own.
"""

import os
import random

_own = random.Random()  # noqa: S311 - no secret
# Else all processes that are forked from one would make the same ids.
os.register_at_fork(after_in_child=_own.seed)
getrandbits = _own.getrandbits
