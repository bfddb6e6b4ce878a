"""What a job's page says: of rounds that failed or were left out, of an end, of texts and bytes made up."""

from __future__ import annotations

import re

from federations import look
from playwright.sync_api import expect
from stage_jobs import FALSE_ROOT, HOSTILE_TEXT, Hands, Stage
from views import View, Views, units

from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.tables import TABLES
from hansa.runtime.snapshot import read_job

BLOCKS_BEFORE = """() => {
  window.blocks = new Set()
  const look = () => {
    if (document.querySelector('.trouble')?.textContent.includes('has failed')) return
    const shown = /block ([0-9]+)/.exec(document.querySelector('footer').textContent)
    if (shown) window.blocks.add(Number(shown[1]))
  }
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true })
}"""  # that the page has shown without the failure


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
    expect(timeline).to_have_count(len(rounds))
    for text, item, some in zip(said, reversed(timeline.all()), left_out, strict=True):
        if some:
            expect(item).to_contain_text(text)
        else:
            expect(item).not_to_contain_text(text)
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
    expect(view.page.get_by_text("went back to the sponsor")).to_have_count(0)
    view.shot("aborted-1280-light")
    Hands(lab).send(lab.address("sponsor"), lab.session.federation.claim_rest_call(scene.aborted))
    assert units(view.see("went back to the sponsor.").inner_text()) == left
    expect(view.page.get_by_text("wait for the sponsor")).to_have_count(0)


def test_job_with_one_validator_of_three__says_who_was_missing(views: Views, scene: Stage) -> None:
    """Within one block after the failure; where nothing failed there is no banner."""
    lab, view = scene.lab, views.new()
    view.open(f"#/job/{scene.daemons}")
    view.see("Who contributes")
    expect(view.page.locator(".trouble")).to_have_count(0)
    expect(view.page).not_to_have_title(re.compile("^!"))
    view.open(f"#/job/{scene.failing}")
    view.see("Time is up")
    expect(view.page.get_by_text("has failed")).to_have_count(0)
    view.page.evaluate(BLOCKS_BEFORE)
    Hands(lab).fail(scene.failing)
    failed_at = lab.session.chain.head().number
    said = view.page.locator(".trouble h2", has_text="has failed")
    said.wait_for()
    shown = [block for block in view.page.evaluate("[...blocks]") if block > failed_at]
    assert len(shown) <= 2, "the page has looked at the chain in vain"
    first, *missing = (
        f"{member[:6]}…{member[-4:]}" for member in lab.session.federation.state(scene.failing).committee
    )
    sentence = re.escape(f"Round 1 has failed once, for want of {missing[0]} and {missing[1]}.")
    expect(said).to_have_text(re.compile(rf"^{sentence}.*two more failures", re.IGNORECASE | re.DOTALL))
    expect(said).not_to_contain_text(first)
    expect(view.page).to_have_title(re.compile("^! "))
    expect(view.see("In trouble")).to_be_visible()
    answered = view.page.get_by_role("region", name="Who has answered")
    expect(answered.get_by_text("no measurements")).to_have_count(2)
    expect(answered.get_by_text("measured")).to_have_count(1)
    expect(view.page.get_by_text(f"hansa aggregator run --job {scene.failing}")).to_have_count(1)
    view.reads_well("trouble")


def test_failed_cycle__is_in_the_timeline_with_its_reason(tour: View, scene: Stage) -> None:
    tour.open(f"#/job/{scene.daemons}/rounds")
    tour.see("Failed:")
    burnt = [c.outcome.burnt for c in look(scene.lab).history.cycles if hasattr(c.outcome, "burnt")]
    assert burnt
    expect(tour.page.locator(".timeline li.bad")).to_have_count(len(burnt))


def test_quorum_that_voted_false_rewards__differs_in_red(tour: View, scene: Stage) -> None:
    truth = read_job(scene.lab.session.federation, scene.lab.session.store, scene.by_hand)
    assert truth.misvoted() == [2]
    tour.open(f"#/job/{scene.by_hand}/ledger")
    tour.see("The validators voted other pay than the rules give: round 2")
    tour.see("The ledger adds up to what was paid")  # fees of a running job are earned, and not yet paid
    section = tour.page.locator("section.round.differs")
    expect(section).to_have_count(1)
    tag = section.get_by_text("differs from the vote")
    expect(tag).to_be_visible()
    red, green, blue = (int(v) for v in tag.evaluate("e => getComputedStyle(e).color.match(/[0-9]+/g).slice(0, 3)"))
    assert red > 2 * green and red > 2 * blue
    section.get_by_title("0x" + FALSE_ROOT.hex()).first.wait_for()
    expect(tour.page.locator("section.round:not(.differs)").get_by_text("equal to the vote")).to_have_count(1)


def test_hostile_text__stays_text(tour: View, scene: Stage) -> None:
    tour.open(f"#/job/{scene.hostile}")
    tour.see("Who contributes")
    content = tour.page.locator("main")
    expect(content).to_contain_text(HOSTILE_TEXT.split(" \u202e")[0][:40])
    expect(content).to_contain_text("\\u{202e}")
    expect(content).not_to_contain_text("\u202e")
    expect(content.locator("script, img")).to_have_count(0)
    expect(tour.page).to_have_title(re.compile(rf"^[^\u202e]* · Job {scene.hostile} · Hansa$"))


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
