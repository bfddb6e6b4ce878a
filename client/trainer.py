"""The trainer daemon: enrols, trains, submits, publishes after the phase has closed, claims."""

from __future__ import annotations

from client.config import TrainerConfig
from client.training import local_update
from protocol import envelope
from protocol.chain.federation import JobState
from protocol.chain.history import CycleRecord, Failed, Finalized
from protocol.cid import to_cid
from protocol.daemon import Daemon
from protocol.errors import FatalError
from protocol.hashes import cycle_counter
from protocol.job import JobContext
from protocol.model import Model, Update
from protocol.tensors import decode, encode
from protocol.types import CycleId, Digest, Phase
from tasks import load_task
