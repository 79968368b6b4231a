"""Every contender by the name that the worker's process is called with."""

from benchmarks.contenders.bare_claim import BareClaim
from benchmarks.contenders.base import Contender
from benchmarks.contenders.doorbell import Doorbell
from benchmarks.contenders.litevault import LiteVault, LoggingLiteVault
from benchmarks.contenders.pgqueuer import Pgqueuer, TunedPgqueuer
from benchmarks.contenders.procrastinate import Procrastinate

LITEVAULT = LiteVault()
LOGGING_LITEVAULT = LoggingLiteVault()
PEERS: tuple[Contender, ...] = (Procrastinate(), Pgqueuer())
TUNED_PGQUEUER = TunedPgqueuer()
BARE_CLAIM = BareClaim()
DOORBELL = Doorbell()

BY_NAME = {
    contender.name: contender
    for contender in (LITEVAULT, LOGGING_LITEVAULT, *PEERS, TUNED_PGQUEUER, BARE_CLAIM, DOORBELL)
}
