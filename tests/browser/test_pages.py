"""What the pages show: equal to what the command line works out from the same chain, and readable by everybody."""

from __future__ import annotations

import pytest
from conftest import Views
from stage import Stage

from protocol.cid import to_cid


def routes(scene: Stage) -> dict[str, str]:
    job, model = scene.daemons, to_cid(scene.lab.posted.model)
    return {
        "jobs": "#/",
        "job": f"#/job/{job}",
        "round": f"#/job/{job}/round/2",
        "ledger": f"#/job/{job}/ledger",
        "ledger-differs": f"#/job/{scene.by_hand}/ledger",
        "validators": f"#/job/{job}/validators",
        "account": f"#/account/{scene.lab.address('trainer-1')}",
        "verify": f"#/verify/{model}",
        "post": "#/post",
    }


READY = {
    "jobs": "Job 1",
    "job": "Model chain",
    "round": "Committee",
    "ledger": "Round by round",
    "ledger-differs": "Round by round",
    "validators": "A seat earns",
    "account": "did:ethr:",
    "verify": "The bytes are those",
    "post": "Files and committee",
}


@pytest.mark.parametrize("name", ["jobs", "job", "round"])
def test_page__reads_well_on_any_screen(views: Views, scene: Stage, name: str) -> None:
    """No serious finding of axe, nothing wider than the screen; pictures in light and dark, desktop and 360 px."""
    for width, scheme in ((1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")):
        view = views.new(width=width, scheme=scheme)
        view.open(routes(scene)[name])
        view.see(READY[name])
        if name == "account":
            view.see("Bond held")
        assert view.page.evaluate("document.documentElement.scrollWidth") <= width, f"wider than {width}"
        assert view.axe() == [], (width, scheme)
        view.shot(f"{name}-{width}-{scheme}")
