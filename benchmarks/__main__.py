"""`python -m benchmarks NAME [--quick] [--json FILE]`: measures, shows tables, draws reports/NAME.png."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from benchmarks.flowered import STRATEGIES
from benchmarks.peers import INSTALL
from benchmarks.report import Report
from hansa.protocol.aggregation import RULES
from hansa.protocol.errors import HansaError

NAMES = {
    "aggregation": "Hansa's exact rules, Flower's own functions, and what memory gives",
    "attacks": "what each rule loses to each attack",
    "audit": "a round made again from its sealed updates, beyond reading the files",
    "blocks": "how many blocks a round takes, on a chain whose every block the benchmark makes",
    "chaos": "whatever dies, lies or is reorganised: nothing is lost, done twice or stuck",
    "control": "what a round costs beside learning: seconds, blocks, requests, CPU, memory",
    "duplicates": "how alike honest updates are, and a twin's",
    "fuzz": "every decoder of bytes from outside, with inputs that nobody would send",
    "measure": "what measuring a large model's updates takes a validator",
    "page": "the web page of a large job, in headless Chromium",
    "pay": "who is paid what, by the pay rule and by three that it was chosen over",
    "privacy": "what a privacy budget costs, and what updates tell without, behind masks and with one",
    "quantisation": "8 and 16 bits beside float32",
    "round": "a whole round of a large model, every party a process",
    "secagg": "masked sums by trainer and member, and Flower's secure aggregation",
    "stakes": "what a pool of stakes costs: draws, stakes, by how many have staked",
}


CHOSEN = ("tasks", "seeds", "seats", "rules", "cells", "minutes", "inputs", "seed", "only", "keep", "replay")
SIZES = ("trainers", "parameters", "validators", "rounds")


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    started = time.monotonic()
    try:
        report = measured(options)
    except HansaError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    report.seconds = time.monotonic() - started
    report.show()
    if options.plot:
        picture = report.draw()
        print(f"Drawn: {picture}" if picture else f"No picture without matplotlib: {INSTALL}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(report.as_json())
        print(f"Written: {options.json}")
    return int(report.failed)


def measured(options: argparse.Namespace) -> Report:
    module = importlib.import_module(f"benchmarks.{options.name}")
    chosen = {name: value for name in (*CHOSEN, *SIZES) if (value := getattr(options, name)) is not None}
    report: Report = module.run(quick=options.quick, **chosen)
    return report


def parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:13}{what}" for name, what in NAMES.items())
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"What is claimed, measured:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("name", choices=NAMES, metavar="NAME")
    made.add_argument("--quick", action="store_true", help="small: a minute or so, rougher figures")
    made.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there, too")
    made.add_argument("--no-plot", dest="plot", action="store_false", help="leave reports/NAME.png alone")
    worlds = ("tutorial", "heart", "maintenance", "traffic", "mnist", "digits")
    made.add_argument("--tasks", nargs="+", choices=worlds, help="only these of the ones that the benchmark knows")
    made.add_argument("--seeds", type=int, help="so many seeds, from 1")
    made.add_argument("--seats", type=int, nargs="+", help="committees of so many validators (pay)")
    made.add_argument("--rules", nargs="+", choices=[*RULES, *STRATEGIES], help="only these (attacks)")
    made.add_argument(
        "--cells",
        type=Path,
        metavar="FILE",
        help="keep every run there; go on where it ends (attacks, duplicates, pay)",
    )
    made.add_argument(
        "--minutes", type=float, help="stop measuring after so many, report what there is (attacks, chaos, fuzz)"
    )
    made.add_argument("--seed", type=int, help="of the inputs (fuzz); what happens when, and to whom (chaos)")
    made.add_argument(
        "--replay", type=Path, metavar="FILE", help="play the one schedule that was written there (chaos)"
    )
    made.add_argument("--inputs", type=int, metavar="N", help="so many of each decoder (fuzz)")
    made.add_argument("--only", nargs="+", metavar="NAME", help="these decoders (fuzz)")
    made.add_argument("--keep", action="store_true", default=None, help="add what takes new ways to the corpus (fuzz)")
    for size in SIZES:
        made.add_argument(f"--{size}", type=int, metavar="N", help=f"so many {size} (round, measure)")
    return made


if __name__ == "__main__":
    sys.exit(main())
