"""Whether everybody in a demo has rows: asked before a chain is started."""

from __future__ import annotations

from hansa.devnet.setup import Setup
from hansa.protocol.errors import FatalError, HansaError
from hansa.sponsor.validation import OWN
from hansa.tasks import Study, consent, defaults, load_task, running
from hansa.tasks.validation import own_rows, validation_rows


def check_rows(setup: Setup) -> None:
    """FatalError where a party of the demo would have no rows, with the options that name them. A task that carries
    everybody's is not asked."""
    if setup.data and len(setup.data) != setup.trainers:
        raise FatalError(
            f"--data is given {len(setup.data)} times for {setup.trainers} trainers",
            next_step="give it once for each, and leave --trainers out",
        )
    name, place = consent(setup.task)
    task = load_task(name, {**defaults(name, **place)["settings"], **setup.settings}, setup.seed, **place)
    if setup.validation_rows == OWN:
        for member in range(setup.validators):
            with running(name, f"reading the rows of validator-{member + 1}"):
                own_rows(task, setup.validation_of(member))
    if isinstance(task, Study) and not setup.data and setup.validation is None:
        return
    for number, source in enumerate(setup.sources, 1):
        try:
            with running(name, f"loading the rows of trainer-{number}"):
                task.load(source)
        except HansaError as error:
            if setup.data:
                raise
            raise FatalError(
                f"task {name} brings no rows for trainer-{number}",
                cause=f"it can't load {source!r}",
                next_step="name a file for each trainer with --data, and the validators' rows with --validation",
            ) from error
    if setup.validation_rows == OWN:
        return
    with running(name, "reading the validation rows"):
        for seat in range(setup.validators):
            validation_rows(task, seat, setup.validators, setup.validation)
