"""Ids differ, whatever a library does to Python's own generator, and in every forked process."""

import os
import random

from formapp.forms.tokens import TokenSigner
from formapp.randomness import getrandbits

SIGNER = TokenSigner(["a key that is long enough"], clock=lambda: 0)


def nonce() -> str:
    token = SIGNER.issue_for("contact", "v", "page")
    return SIGNER.read(token, "contact").nonce


def test_ids_differ_though_a_library_seeds_the_generator_that_all_share() -> None:
    state = random.getstate()
    try:
        found = set()
        for _ in range(20):
            random.seed(1)
            found |= {nonce()}
    finally:
        random.setstate(state)
    assert len(found) == 20


def test_a_forked_process_makes_other_ids() -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, f"{getrandbits(128):x}".encode())
        os._exit(0)
    own = f"{getrandbits(128):x}"
    os.waitpid(child, 0)
    assert os.read(read, 100).decode() != own
    os.close(read)
    os.close(write)
