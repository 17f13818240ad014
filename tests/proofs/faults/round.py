"""One round: visitors post, processes die, the line breaks; then all is delivered and judged."""

from pathlib import Path

from tests.proofs.faults.killing import Killer, Quota
from tests.proofs.faults.ledger import Backlog
from tests.proofs.faults.plan import Round, web_kills, worker_kills
from tests.proofs.faults.result import Result
from tests.proofs.faults.settling import drain, keep_alive, settle
from tests.proofs.faults.stage import Stage
from tests.proofs.faults.violations import Violation
from tests.proofs.faults.visitors import Visitors

WORKERS = 4


def run_round(plan: Round, folder: Path, database_url: str) -> Result:
    """Run it."""
    with Stage(folder, database_url, plan.seed, plan.weather) as stage:
        visitors = Visitors(stage.web_url, plan.seed, Backlog(stage.database).is_short)
        quota = Quota(plan.kills)
        killers = [Killer(stage, "web", web_kills(plan.seed), quota)]
        killers += [
            Killer(stage, "worker", worker_kills(plan.seed, slot), quota) for slot in range(WORKERS)
        ]
        killers[0].start()
        stage.wait_for_web()
        visitors.start()
        for killer in killers[1:]:
            killer.start()
        for killer in killers:
            killer.join()
        end_web = keep_alive(stage, "web", 1)
        visitors.stop()
        drained = drain(stage)
        end_web()
        result = settle(stage, visitors, drained=drained)
        result.kills += quota.made
        odd = [fault for killer in killers for fault in killer.faults]
        result.violations += [Violation("unclear", fault) for fault in odd]
        return result
