"""What a job's page says: of rounds that failed or were left out, of an end, of texts and bytes made up."""

from __future__ import annotations

import re

from federations import look
from stage_jobs import FALSE_ROOT, HOSTILE_TEXT, Hands, Stage
from views import View, Views, units

from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.tables import TABLES
from hansa.runtime.snapshot import read_job


def test_round__says_how_many_updates_were_used(tour: View, scene: Stage) -> None:
    """On the timeline and on its own page, wherever one was not; never more than were."""
    truth = look(scene.lab)
    tour.open(f"#/job/{scene.daemons}/rounds")
    tour.see("Done, with metric")
    rounds = list(zip(truth.finalised, truth.rounds, strict=True))
    said = [f"{len(done.included)} of {len(cycle.updates)} updates used" for (cycle, _), done in rounds]
    left_out = [len(done.included) < len(cycle.updates) for (cycle, _), done in rounds]
    assert any(left_out)
    timeline = tour.page.locator(".timeline li", has_text="Done, with metric")
    assert timeline.count() == len(rounds)
    for text, item, some in zip(said, reversed(timeline.all()), left_out, strict=True):
        assert (text in item.inner_text()) == some
    tour.open(f"#/job/{scene.daemons}/round/{left_out.index(True) + 1}")
    tour.see(said[left_out.index(True)])


def test_overview__speaks_a_readers_words(tour: View, scene: Stage) -> None:
    """The contracts' words stand in the terms alone."""
    tour.open(f"#/job/{scene.daemons}")
    tour.see("Who contributes")
    text = tour.page.locator("main").inner_text()
    words = [row["protocol"] for row in TABLES["words"] if row["protocol"] != "vote"]
    assert re.findall(rf"\b(?:{'|'.join(words)})", text, re.IGNORECASE) == []
    assert "The job is over." not in text and text.count("completed, after") == 1


def test_aborted_job__says_what_waits__and_that_it_went_back_once_it_did(views: Views, scene: Stage) -> None:
    lab, view = scene.lab, views.new()
    left = lab.session.federation.books(scene.aborted).left
    assert left == 9 * lab.offer.full_round
    view.open(f"#/job/{scene.aborted}")
    assert units(view.see("wait for the sponsor to take back.").inner_text()) == left
    assert view.page.get_by_text("went back to the sponsor").count() == 0
    view.shot("aborted-1280-light")
    Hands(lab).send(lab.address("sponsor"), lab.session.federation.claim_rest_call(scene.aborted))
    assert units(view.see("went back to the sponsor.").inner_text()) == left
    assert view.page.get_by_text("wait for the sponsor").count() == 0


def test_job_with_one_validator_of_three__says_who_was_missing(views: Views, scene: Stage) -> None:
    """Within one block after the failure; where nothing failed there is no banner."""
    lab, view = scene.lab, views.new()
    view.open(f"#/job/{scene.daemons}")
    view.see("Who contributes")
    assert view.page.locator(".trouble").count() == 0 and not view.page.title().startswith("!")
    view.open(f"#/job/{scene.failing}")
    view.see("Time is up")
    assert view.page.get_by_text("has failed").count() == 0
    Hands(lab).fail(scene.failing)
    failed_at = lab.session.chain.head().number
    said = view.page.locator(".trouble h2", has_text="has failed")
    said.wait_for()
    shown = int(re.findall(r"block (\d+)", view.page.locator("footer").inner_text())[0])
    assert shown <= failed_at + 3, "a block a second, and the page looks every two"
    first, *missing = (
        f"{member[:6]}…{member[-4:]}" for member in lab.session.federation.state(scene.failing).committee
    )
    assert said.inner_text().startswith(f"Round 1 has failed once, for want of {missing[0]} and {missing[1]}.")
    assert "two more failures" in said.inner_text().lower() and first not in said.inner_text()
    assert view.page.title().startswith("! ")
    assert view.see("In trouble").is_visible()
    answered = view.page.get_by_role("region", name="Who has answered")
    assert answered.get_by_text("no measurements").count() == 2 and answered.get_by_text("measured").count() == 1
    assert view.page.get_by_text(f"hansa aggregator run --job {scene.failing}").count() == 1
    view.reads_well("trouble")


def test_failed_cycle__is_in_the_timeline_with_its_reason(tour: View, scene: Stage) -> None:
    tour.open(f"#/job/{scene.daemons}/rounds")
    tour.see("Failed:")
    burnt = [c.outcome.burnt for c in look(scene.lab).history.cycles if hasattr(c.outcome, "burnt")]
    assert tour.page.locator(".timeline li.bad").count() == len(burnt) > 0


def test_quorum_that_voted_false_rewards__differs_in_red(tour: View, scene: Stage) -> None:
    truth = read_job(scene.lab.session.federation, scene.lab.session.store, scene.by_hand)
    assert truth.misvoted() == [2]
    tour.open(f"#/job/{scene.by_hand}/ledger")
    tour.see("The validators voted other pay than the rules give: round 2")
    tour.see("The ledger adds up to what was paid")  # fees of a running job are earned, and not yet paid
    section = tour.page.locator("section.round.differs")
    assert section.count() == 1
    tag = section.get_by_text("differs from the vote")
    assert tag.is_visible()
    red, green, blue = (int(v) for v in tag.evaluate("e => getComputedStyle(e).color.match(/[0-9]+/g).slice(0, 3)"))
    assert red > 2 * green and red > 2 * blue
    assert section.get_by_title("0x" + FALSE_ROOT.hex()).count() >= 1
    assert tour.page.locator("section.round:not(.differs)").get_by_text("equal to the vote").count() == 1


def test_hostile_text__stays_text(tour: View, scene: Stage) -> None:
    tour.open(f"#/job/{scene.hostile}")
    tour.see("Who contributes")
    content = tour.page.locator("main")
    assert HOSTILE_TEXT.split(" \u202e")[0][:40] in content.inner_text()
    assert "\u202e" not in content.inner_text()
    assert "\\u{202e}" in content.inner_text()
    assert content.locator("script").count() == 0 and content.locator("img").count() == 0
    assert tour.page.title().endswith(f" · Job {scene.hostile} · Hansa") and "\u202e" not in tour.page.title()


def test_model__downloaded__is_the_file_of_the_event__or_none(views: Views, scene: Stage) -> None:
    """Its CID is that of the last round's event; of other bytes there is no file."""
    model = to_cid(look(scene.lab).finalised[-1][1].model)
    rounds = len(look(scene.lab).rounds)
    view = views.new()
    view.open(f"#/job/{scene.daemons}")
    view.see(f"Model of round {rounds}")
    with view.page.expect_download() as got:
        view.click("Download")
    assert got.value.suggested_filename == f"hansa-job{scene.daemons}-round{rounds}.safetensors"
    assert to_cid(digest_of(got.value.path().read_bytes())) == model
    data = bytearray(got.value.path().read_bytes())
    data[-1] ^= 1
    wrong = views.new()
    files: list[str] = []
    wrong.page.on("download", lambda file: files.append(file.suggested_filename))
    wrong.page.route(f"**/ipfs/{model}", lambda route: route.fulfill(body=bytes(data)))
    wrong.open(f"#/job/{scene.daemons}")
    wrong.click("Download")
    wrong.see("The store gave other bytes than the CID names")
    assert files == []
