"""The `hansa` command. Importing this costs what typer costs: everything heavy is imported inside the commands."""

from __future__ import annotations

import sys
import traceback

import typer

from hansa.cli import aggregator, audit, dashboard, deploy, trainer, up
from hansa.cli.command import command
from hansa.cli.demo.command import demo
from hansa.cli.doctor.command import doctor
from hansa.cli.job import command as job
from hansa.cli.top.command import top
from hansa.cli.wallet import command as wallet
from hansa.protocol.text import redact

app = typer.Typer(
    name="hansa",
    help="Train one model together with parties you don't trust. Rewards follow measured contribution.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

command(app, "up")(up.up)
command(app, "demo")(demo)
command(app, "doctor")(doctor)
command(app, "top")(top)
command(app, "deploy")(deploy.deploy)
command(app, "audit")(audit.audit)
command(app, "dashboard")(dashboard.dashboard)
app.add_typer(job.app, name="job")
app.add_typer(trainer.app, name="trainer")
app.add_typer(aggregator.app, name="aggregator")
app.add_typer(wallet.app, name="wallet")


def main() -> None:
    """The console script's entry point. A traceback, which --debug asks for, shows no secret of an endpoint's URL."""
    try:
        app()
    except Exception:
        sys.stderr.write(redact(traceback.format_exc()))
        sys.exit(1)


if __name__ == "__main__":
    main()
