"""The book for everybody: what WCAG 2.2 AA asks and axe does not see, on every page; each check is shown a page with its fault."""

import pytest

from tests.site.site_everybody import WALKS, look
from tests.site.site_server import Server
from tests.site.site_turns import ROOT, due, git, recent_sources, turn

pytestmark = pytest.mark.browser
GOOD = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Good</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width"><style>body { background: #fff } a, button { min-height: 24px }
:focus-visible { outline: 2px solid #b23a12 } .dlw-stage { background: #000 }</style></head>
<body><main><article><h1>Good</h1><p>Text with <a href="#x">a link</a> in it.</p>BODY</article></main></body></html>"""

FAULTS = {  # what finds it: a page's body with the fault
    "pictures": "<svg width='40' height='40'><circle r='9'/></svg>",
    "tables": "<div class='dlw dlw-curves'><p>A curve.</p></div>",
    "headings": "<h3>Two levels down</h3>",
    "drags": "<label>rate <input type='range'></label>",
    "language": "<script>document.documentElement.lang = 'la'</script>",
    "names": "<button style='width: 30px'></button>",
    "edges": "<input aria-label='x' style='border: 1px solid #ddd; background: #fff; height: 30px'>",
    "edges, dark": "<style>@media (prefers-color-scheme: dark) { body { background: #111 } input { border-color: #222 !important; background: #111 !important } }</style>"
    "<input aria-label='x' style='border: 1px solid #555; background: #fff; height: 30px'>",
    "moving": "<svg role='img' aria-label='a'><path d='M0 0'/></svg><script>let i = 0; matchMedia('(prefers-reduced-motion: reduce)').matches || "
    "setInterval(() => document.querySelector('path').setAttribute('d', `M${i++} 0`), 50)</script>",
    "moving, reduced": "<div class='dlw'><button aria-label='pause'>||</button><svg role='img' aria-label='a'><path d='M0 0'/></svg></div><script>let i = 0; "
    "setInterval(() => document.querySelector('path').setAttribute('d', `M${i++} 0`), 50)</script>",
    "targets": "<div><button style='all: unset; font: 10px/1 serif; display: block'>one</button><button style='all: unset; font: 10px/1 serif; display: block'>two</button></div>",
    "targets at 400 %": "<style>@media (max-width: 330px) { .b { all: unset; font: 10px/1 serif; display: block; min-height: 0 } }</style>"
    "<button class='b'>one</button><button class='b'>two</button>",
    "focus, desk": "<div style='position: fixed; inset: 0 0 auto; height: 400px; background: #eee'>over</div>",
    "focus, telephone": "<style>@media (max-width: 400px) { .over { position: fixed; inset: 0; background: #eee } }</style><div class='over'>over</div>",
    "spacing": "<p style='width: fit-content; max-width: 100%; height: 1.2em; overflow: hidden; line-height: 1.2'>A line of text</p>",
    "letters of 200 %": "<p style='font-size: 1rem; line-height: 1.3; height: 24px; overflow: hidden'>A line</p>",
    "window at 200 %": "<p style='width: 700px'>A wide line</p>",
    "window at 400 %": "<p style='width: 400px'>A line for wide windows</p>",
    "spacing at 400 %": "<p style='white-space: nowrap; font: 16px monospace; width: 290px'>Letters: twenty and eight ok</p>"
    "<style>p { max-width: 290px; overflow: hidden }</style>",
}
FAULTS["formulas"] = (
    "<div class='math'><mjx-container style='display: block; overflow-x: auto; width: 200px'><p style='width: 900px'>x</p></mjx-container></div>"
)
OTHERS = {  # other ways to fail the same check
    "focus, desk": "<button onkeydown='event.preventDefault()'>trap</button>",
    "focus, telephone": "<style>#none:focus { outline: none }</style><button id='none'>ringless</button>",
    "moving": "<style>@media (prefers-reduced-motion: no-preference) { p { animation: go 3s infinite } } @keyframes go { to { opacity: 0.5 } }</style>",
}


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    """Folder with a good page and one page a fault, and its address."""
    folder = tmp_path_factory.mktemp("everybody")
    pages = {"good": "", **FAULTS, **{f"{name} again": body for name, body in OTHERS.items()}}
    for number, body in enumerate(pages.values()):
        (folder / f"{number}.html").write_text(GOOD.replace("BODY", body), "utf8")
    with Server(folder) as server:
        yield server.address, list(pages)


def test_no_page_shuts_anybody_out(browser, address, path):
    if not due(path, recent_sources()):
        pytest.skip("its turn comes in another week")
    # the focus takes longest: it goes through a changed page, too, when its turn comes
    walks = turn(path, tuple(WALKS)) if due(path, set()) else ()
    assert not look(browser, address, path, walks), path


def test_each_page_has_its_turn_and_a_changed_one_at_once():
    paths = [f"chapters/training/{name}.html" for name in ("schedules", "optimizers", "adamw")]
    paths = [path for path in paths if (ROOT / path.replace(".html", ".md")).is_file()]
    for path in paths:
        weeks = [due(path, set(), f"2026-W{week}") for week in range(10, 50)]
        assert 5 < sum(weeks) < 25
        assert due(path, {path.replace(".html", ".md")}, "2026-W10")
        assert {way for week in range(10, 50) for way in turn(path, tuple(WALKS), f"2026-W{week}")} == set(
            WALKS
        )


def test_what_was_committed_now_is_recent():
    changed = git("show", "-m", "--first-parent", "--name-only", "--format=", "HEAD")  # of a merge too
    assert changed and set(changed) <= recent_sources()


def test_a_good_page_has_no_fault(browser, bodies):
    assert look(browser, bodies[0], "0.html") == {}


@pytest.mark.parametrize("name", [*FAULTS, *(f"{name} again" for name in OTHERS)])
def test_each_check_finds_its_fault(browser, bodies, name):
    address, pages = bodies
    assert name.removesuffix(" again") in look(browser, address, f"{pages.index(name)}.html")
