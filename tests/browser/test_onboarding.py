"""A newcomer: without a wallet, and from the front page to a trainer that runs, by what the page says alone."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import warm_command
from playwright.sync_api import expect
from stage_jobs import Stage, routes
from views import View, Views

from hansa.cli.dashboard import serve
from hansa.protocol.types import JobId
from hansa.runtime.accounts import address_of
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.session import Session
from hansa.runtime.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PASSWORD = "a newcomer's password"
POST = "hansa job post --task heart --account sponsor --trainers 2 --validators validator-1"
SECONDS = 60.0


@dataclass
class Folder:
    """The folder in which `hansa up` ran, and its terminal."""

    path: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, command: str, password: str | None = None) -> subprocess.Popen[bytes]:
        """password: what its owner types where one is asked for."""
        name, *words = shlex.split(command)
        assert name == "hansa"
        environment = {k: v for k, v in os.environ.items() if k not in ("HANSA_DIR", "HANSA_PASSWORD")}
        if password is not None:
            environment["HANSA_PASSWORD"] = password
        with (self.path / "terminal.log").open("ab") as log:
            process = subprocess.Popen(
                [*warm_command(), *words], cwd=self.path, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        self.running.append(process)
        return process

    def run(self, command: str, password: str | None = None) -> None:
        assert self.start(command, password).wait(SECONDS) == 0, self.said()

    def said(self) -> str:
        return (self.path / "terminal.log").read_text()

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.path / ".hansa")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    made.run("hansa up --background --trainers 1 --validators 1")
    try:
        yield made
    finally:
        for process in made.running:
            process.kill()
            process.wait()
        made.run("hansa up --stop")


def copied(view: View) -> list[str]:
    """The commands of a page, as its copy buttons give them."""
    found = []
    for button in view.page.locator(".howto .command .copy").all():
        button.click()
        button.get_by_text("copied", exact=True).wait_for(state="attached")
        found.append(str(view.page.evaluate("navigator.clipboard.readText()")))
    return found


def test_newcomer__from_the_front_page_to_a_running_trainer(browser: Browser, folder: Folder) -> None:
    """A fresh browser without a wallet, a chain of `hansa up`, and nothing but what the page says."""
    folder.run(POST)
    deployment = folder.workspace.deployment()
    with serve(deployment, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened = Views(browser, f"http://127.0.0.1:{server.server_port}/", deployment.rpc[0])
        view = opened.new()
        view.open("#/")
        view.page.locator('main a[href^="#/job/1"]').first.click()
        view.page.locator('a[href="#/job/1/join"]').first.click()
        view.see("Join this job")
        view.see("2 places are free")
        commands = copied(view)
        view.shot("join-1280-light")
        for command in commands[:-1]:
            folder.run(command, PASSWORD)
        assert commands[-1].startswith("hansa trainer run --job 1 --account me ")
        trainer = folder.start(commands[-1], PASSWORD)
        session, me = Session(deployment), address_of(folder.workspace, "me")
        end = time.monotonic() + SECONDS
        while not session.federation.trainer(JobId(1), me).enrolled:
            assert trainer.poll() is None and time.monotonic() < end, folder.said()
            time.sleep(0.1)
        assert trainer.poll() is None
        view.see("1 place is free")
        opened.close()
        server.shutdown()


def test_deployment_that_is_saved__is_one_that_hansa_takes(tour: View, scene: Stage, tmp_path: Path) -> None:
    tour.open(f"#/job/{scene.hostile}/join")
    with tour.page.expect_download() as got:
        tour.page.get_by_role("link", name="save deployment.json").click()
    saved = tmp_path / got.value.suggested_filename
    got.value.save_as(saved)
    assert saved.name == "deployment.json"
    ours, theirs = scene.lab.session.deployment, Deployment.load(saved)
    for name in (
        "name",
        "chain_id",
        "rpc",
        "federation",
        "vault",
        "token",
        "admission",
        "committee",
        "registry",
        "credentials",
        "first_block",
        "confirmations",
    ):
        assert getattr(theirs, name) == getattr(ours, name)
    assert theirs.registry is not None and theirs.credentials is not None
    assert theirs.store["kind"] == "kubo" and str(scene.lab.workspace.dir) not in saved.read_text()


def test_join__of_a_hostile_job__reads_well_on_any_screen(tour: View, scene: Stage) -> None:
    tour.open(f"#/job/{scene.hostile}/join")
    tour.see("Join this job")
    commands = copied(tour)
    assert all(re.fullmatch(r"hansa [\w. -]+", command) for command in commands)
    expect(tour.page.locator("main img, main script")).to_have_count(0)
    tour.reads_well("join-hostile")


def test_join__of_a_job_that_has_begun__says_so(tour: View, scene: Stage) -> None:
    tour.open(f"#/job/{scene.daemons}/join")
    tour.see("Nobody can join any more")
    expect(tour.page.locator(".command")).to_have_count(0)
    tour.open(f"#/job/{scene.daemons}")
    tour.see("The terms in words")
    expect(tour.page.locator('a[href$="/join"]')).to_have_count(0)


def test_no_wallet__an_account_is_watched__and_stays(views: Views, scene: Stage) -> None:
    """As if it were the reader's own, but for signing: a claim is the command that makes it."""
    view, me = views.new(), scene.lab.address("trainer-1")
    page = view.open("#/")
    view.click("Connect")
    view.see("You need none to look")
    view.reads_well("no-wallet")
    view.turn(1280, "light")
    field = page.get_by_label("An account to watch")
    field.fill("0x12")
    view.click("Watch")
    view.see("An address is 0x and 40 hexadecimal digits.")
    field.fill(me)
    view.click("Watch")
    view.see("Claimable:")
    view.see(f"hansa wallet claim --job {scene.by_hand} --account {me}")
    expect(page.get_by_role("button", name="Claim", exact=True)).to_have_count(0)
    page.reload()
    view.see("Claimable:")
    view.open(f"#/account/{me}")
    view.see("yours")
    view.shot("watched-1280-light")
    view.turn(360, "dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.locator(".claimbar")).to_have_count(0)  # the page says all of it
    view.open("#/")
    view.see("Claimable:")
    view.click("Stop watching the account")
    expect(page.locator(".claimbar")).to_have_count(0)
    view.open(f"#/account/{me}")
    view.click("Watch this account")
    view.open("#/")
    view.see("Claimable:")
    assert json.loads(page.evaluate("JSON.stringify(localStorage)"))["hansa.me"] == me


def test_watching_nonsense__that_somebody_left_in_the_browser(views: Views) -> None:
    view = views.new()
    view.page.add_init_script("localStorage.setItem('hansa.me', '<img src=x>')")
    view.open("#/")
    view.see("Job 1")
    expect(view.page.get_by_role("button", name="Connect", exact=True)).to_be_visible()


def test_no_number_of_a_standard_is_in_visible_text(tour: View, scene: Stage) -> None:
    for route in routes(scene).values():
        tour.open(route)
        tour.page.wait_for_timeout(300)
        assert re.findall(r"\b(?:EIP|ERC)\b", tour.page.locator("body").inner_text()) == []
