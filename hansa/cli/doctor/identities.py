"""What `hansa doctor` looks at in the identities whose keys are here."""

from __future__ import annotations

from hansa.cli.doctor.check import BAD, GOOD, WARNING, Result
from hansa.protocol.text import counted
from hansa.protocol.types import Address
from hansa.runtime.accounts import names_of_accounts
from hansa.runtime.chain.bytecode import is_ours
from hansa.runtime.identity.keys import read_keys
from hansa.runtime.session import Session
from hansa.runtime.workspace import Workspace


def identities(workspace: Workspace, session: Session) -> Result:
    """Whether registry and credentials are ours, and every account's DID names the key that it announced."""
    made = session.deployment
    named = {"DidRegistry": made.registry, "Credentials": made.credentials}
    if None in named.values():
        return WARNING, "the deployment names no registry or no credentials; jobs open to everybody need none"
    for name, at in named.items():
        if not is_ours(session.chain, name, Address(str(at))):
            return BAD, f"{at} is not our {name}; ask whoever deployed it which version it is"
    names = names_of_accounts(workspace.keys)
    differing = [name for account, name in names.items() if not read_keys(session, account).agree]
    if differing:
        said = "names another key than it announced" if len(differing) == 1 else "name other keys than they announced"
        return WARNING, f"the DID of {', '.join(differing)} {said}; `hansa id key` makes them the same"
    return GOOD, f"registry and credentials are ours; {counted(len(names), 'account')} with one key each"
