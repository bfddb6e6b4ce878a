"""Puts solc 0.8.30 where py-solc-x, brownie and slither look for it (~/.solcx).

Downloads the native compiler; where that is not possible, the same compiler from npm (package `solc`) is wrapped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "0.8.30"
DOWNLOAD_SECONDS = 20
NODE_MODULES = Path(__file__).resolve().parent.parent / "node_modules"
NEEDED = ("command-exists", "commander", "follow-redirects", "js-sha3", "memorystream", "semver", "tmp", "os-tmpdir")

DOWNLOAD = f"""
import socket, solcx
socket.setdefaulttimeout(5)
solcx.install_solc({VERSION!r}, show_progress=False)
"""

WRAPPER = """#!/usr/bin/env node
// The parts of solc's command line that build tools use: --version and --standard-json.
const fs = require('fs');
if (process.argv.includes('--version')) {
  console.log('solc, the solidity compiler commandline interface\\nVersion: @VERSION@');
} else if (process.argv.includes('--standard-json')) {
  const solc = require('@FOLDER@/node_modules/solc');
  const read = path => {
    try { return { contents: fs.readFileSync(path, 'utf8') }; } catch (error) { return { error: error.message }; }
  };
  process.stdout.write(solc.compile(fs.readFileSync(0, 'utf8'), { import: read }) + '\\n');
} else {
  console.error('This solc answers only --version and --standard-json.');
  process.exit(1);
}
"""


def main() -> None:
    home = Path.home() / ".solcx"
    target = home / f"solc-v{VERSION}"
    if works(target) or (download() and works(target)):
        return
    wrap(home, target)
    if not works(target):
        sys.exit(f"solc {VERSION} could neither be downloaded nor wrapped as {target}: run `npm ci` and try again.")


def works(compiler: Path) -> bool:
    if not compiler.exists():
        return False
    try:
        answer = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return False
    return VERSION in answer.stdout


def download() -> bool:
    """Tries the ordinary download, in a process of its own: a network that swallows packets costs 20 s at most."""
    command = [sys.executable, "-c", DOWNLOAD]
    try:
        return subprocess.run(command, capture_output=True, timeout=DOWNLOAD_SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def wrap(home: Path, target: Path) -> None:
    """Copies the npm compiler beside the wrapper, so that the wrapper outlives this checkout."""
    folder = home / f"npm-{VERSION}"
    for package in ("solc", *NEEDED):
        shutil.copytree(NODE_MODULES / package, folder / "node_modules" / package, dirs_exist_ok=True)
    asked = ["node", "-p", f"require({str(folder / 'node_modules/solc')!r}).version()"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    target.unlink(missing_ok=True)
    target.write_text(WRAPPER.replace("@VERSION@", version).replace("@FOLDER@", str(folder)))
    target.chmod(0o755)


if __name__ == "__main__":
    main()
