"""Two more scenes: clocks that are wrong by a day, and one nonce posted a hundred times at once."""

import re
import threading
import time
from collections import Counter

import requests

from tests.proofs.faults.clock import FastClock
from tests.proofs.faults.ledger import read_ledger
from tests.proofs.faults.people import Lead
from tests.proofs.faults.result import Result
from tests.proofs.faults.setting import Place, Setting, setting
from tests.proofs.faults.stage import Weather
from tests.proofs.faults.violations import Violation
from tests.proofs.faults.visitors import ORIGIN, Sent
from tests.support.processes import free_port

DAY = 86_400.0
POSTS = 100


def wrong_clock(place: Place, shift: float) -> Result:
    """The clocks of all hosts jump by `shift` seconds under load, and are put right again.

    Workers are killed in either time, so that leases and intents of each are met in the other.
    """
    weather = Weather(rate=0.25, edits=0.2, sandbox={"query_delay": 40})
    with setting(place, weather) as scene:
        right = scene.stage.clock
        wrong = FastClock(right.origin, right.scale, shift)
        scene.bear("web")
        scene.visitors.start()
        for clock in (right, wrong, right):
            scene.bear("web", clock=clock.as_json())
            for _ in range(3 if place.long else 2):
                _work_and_die(scene, [clock, clock])
        return _put_right(scene)


def skewed_host(place: Place, shift: float) -> Result:
    """One host's clock is wrong by `shift` seconds while the other one's is right.

    To each of the two the other's leases look over, so that both work for one person at a time.
    Then only what Wix itself refuses keeps contacts single: its check must see at once.
    """
    with setting(place, Weather(rate=0.25, edits=0.2)) as scene:
        right = scene.stage.clock
        wrong = FastClock(right.origin, right.scale, shift)
        scene.bear("web")
        scene.visitors.start()
        for _ in range(8):
            _work_and_die(scene, [right, wrong])
        return _put_right(scene)


def _work_and_die(scene: Setting, clocks: list[FastClock]) -> None:
    workers = [
        scene.bear(f"worker {number}", clock=clock.as_json()) for number, clock in enumerate(clocks)
    ]
    time.sleep(0.8)
    for worker in workers:
        worker.kill()


def _put_right(scene: Setting) -> Result:
    """Let workers whose clocks are right finish.

    Whether a lead found the contact that it had made itself can't be told by clocks that disagree
    so: outcomes are not judged.
    """
    scene.visitors.stop()
    scene.stage.line("DELETE")
    for number in range(2):
        scene.bear(f"worker {number}")
    result = scene.result(scene.recovered())
    result.violations = [each for each in result.violations if each.kind != "outcome"]
    return result


def one_nonce(place: Place) -> Result:
    """A hundred posts of one page's token at once, to two servers; and a hundred of one key."""
    with setting(place, Weather()) as scene:
        ports = (scene.stage.port, free_port())
        for number, port in enumerate(ports):
            scene.bear(f"web {number}", port=port)
        page = requests.get(f"http://127.0.0.1:{ports[0]}/f/plain", timeout=10).text
        token = re.search(r'name="_token"[^>]*value="([^"]+)"', page)
        assert token
        key = {"Origin": ORIGIN, "Idempotency-Key": "one and the same"}
        violations = _a_hundred(scene, ports, "token", {"_token": token[1]}, {})
        violations += _a_hundred(scene, ports, "key", {}, key)
        scene.bear("worker")
        return scene.result(violations + scene.recovered())


def _a_hundred(
    scene: Setting,
    ports: tuple[int, int],
    ref: str,
    more: dict[str, str],
    headers: dict[str, str],
) -> list[Violation]:
    email = f"{ref}@example.com"
    statuses = _at_once(ports, {"ref": ref, "email": email, **more}, headers)
    lead = Lead(ref, "plain", {}, email, None, ("Faults lead",))
    scene.visitors.sent.append(Sent(lead, receipt=True, posts=POSTS))
    kept = sum(row.ref == ref for row in read_ledger(scene.stage.database))
    found = [] if kept == 1 else [Violation("kept_twice", f"{ref}: {kept} submissions")]
    if set(statuses) != {303}:
        found.append(Violation("refused", f"{ref}: {dict(statuses)}"))
    return found


def _at_once(ports: tuple[int, int], data: dict[str, str], headers: dict[str, str]) -> Counter[int]:
    """Post from as many threads as posts, all at one moment; returns the statuses."""
    gate = threading.Barrier(POSTS)
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def post(number: int) -> None:
        url = f"http://127.0.0.1:{ports[number % 2]}/f/plain"
        gate.wait()
        answer = requests.post(url, data=data, headers=headers, timeout=30, allow_redirects=False)
        with lock:
            statuses[answer.status_code] += 1

    threads = [threading.Thread(target=post, args=(number,)) for number in range(POSTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses
