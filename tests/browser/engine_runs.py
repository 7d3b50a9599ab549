"""The engine's proofs run in Node, which Playwright brings, and in Chromium."""

import json
import subprocess
from pathlib import Path

import playwright

from dlbook.browser.bundle import engine_text

NODE = Path(playwright.__file__).with_name("driver") / "node"
PROOFS = (Path(__file__).with_name("proofs.js")).read_text("utf8")
# One process tries many engines: a faulty one may throw, and says so.
SCRIPT = """
import {{ readFileSync }} from "node:fs";
{proofs}
const {{ engines, cases }} = JSON.parse(readFileSync(0, "utf8"));
const answers = engines.map((text) => {{
  try {{ return prove(new Function(text + "return engine();")(), cases); }} catch (error) {{ return {{ error: String(error) }}; }}
}});
process.stdout.write(JSON.stringify(answers, (key, value) => (Number.isFinite(value) || typeof value !== "number" ? value : String(value))));
"""


def in_node(cases, engines=None):
    """What each engine answers to the cases; without `engines` the answer of the book's own."""
    asked = json.dumps({"engines": engines or [engine_text()], "cases": cases})
    run = subprocess.run(
        [NODE, "--input-type=module", "-e", SCRIPT.format(proofs=PROOFS)],
        input=asked,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    answers = json.loads(run.stdout)
    return answers if engines else answers[0]


def in_chromium(browser, cases):
    """What the book's engine answers in a page of Chromium."""
    page = browser.new_page()
    try:
        return page.evaluate(
            "([engine, proofs, cases]) => new Function('cases', engine + proofs + 'return prove(engine(), cases);')(cases)",
            [engine_text(), PROOFS, cases],
        )
    finally:
        page.close()
