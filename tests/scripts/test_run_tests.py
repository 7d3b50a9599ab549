"""The summary of `make test`: what was spent, and what the whole book would take."""

import os
import re
import sys

import pytest
import run_tests
from run_tests import ROOT, Result, Stage, forking, marked, run_stage, stages, summary

PYTHON = sys.executable


def command(code: str) -> list[str]:
    """A command that runs a line of Python."""
    return [PYTHON, "-c", code]


def test_a_stage_measures_the_processor_of_what_it_runs():
    burn = "import time\nwhile time.process_time() < 1: pass"
    result = run_stage(Stage((command(burn), command("import time; time.sleep(1)")), (command(burn),)))
    assert result.passed and 2 <= result.processor < 2.8 and result.seconds > 2


@pytest.mark.parametrize("where", ["commands", "together"])
def test_one_failure_fails_the_stage_and_the_others_still_run(where, tmp_path):
    ran = tmp_path / "ran"
    lines = (command("raise SystemExit(3)"), command(f"open({str(ran)!r}, 'w')"))
    result = run_stage(Stage(**{"commands": (), where: lines}))
    assert not result.passed and ran.exists()


def test_a_stage_whose_tests_are_all_left_out_has_passed(tmp_path):
    (tmp_path / "test_none.py").write_text("")
    assert run_tests.run([PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)])
    assert not run_tests.run(command("raise SystemExit(5)"))


def test_only_what_grows_with_the_chapters_is_extrapolated(monkeypatch):
    monkeypatch.setattr(run_tests, "WHOLE_BOOK", 20)
    known = {"fixed": Stage(()), "chapters": Stage((), grows=1.0), "half": Stage((), grows=0.5)}
    results = {
        "fixed": Result(True, 300, 500),
        "chapters": Result(False, 120, 200),
        "half": Result(True, 60, 60),
    }
    told = summary(results, known, chapters=4).splitlines()
    assert told[1].split() == ["fixed", "passed", "300", "500", "300", "s"]
    assert told[2].split() == ["chapters", "FAILED", "120", "200", "600", "s"]
    assert told[3].split() == ["half", "passed", "60", "60", "180", "s"]
    assert told[4].split() == ["all", "480", "760", "1080", "s"]
    assert told[5].startswith("4 pages with code: 8 minutes; 20 would take 18 of at most")


def test_stages_in_a_browser_get_what_is_left_and_never_nothing():
    known, minute = stages(), 60
    limited = [name for name, stage in known.items() if stage.share]
    assert limited == ["figures", "pages"] and known["pages"].share == 1  # the last may take all
    ends = [run_tests.ends(known[name], 1000, 1000 + 25 * minute) for name in limited]
    left = run_tests.LIMIT - 25
    assert ends == [1000 + (25 + 0.6 * left) * minute, 1000 + run_tests.LIMIT * minute]
    assert run_tests.ends(known["pages"], 1000, 1000 + 80 * minute) == 1000 + 86 * minute


def test_only_a_run_of_everything_in_ci_has_a_limit(monkeypatch):
    seen = {}
    monkeypatch.setattr(run_tests, "stages", lambda: {"pages": Stage((), share=1.0), "unit": Stage(())})
    monkeypatch.setattr(
        run_tests, "run_stage", lambda stage: seen.update(os.environ) or Result(True, 1.0, 1.0)
    )
    for name in ("DLBOOK_BROWSER_UNTIL", "DLBOOK_BROWSER_ORDER"):
        monkeypatch.setenv(name, "kept")  # so that both are put back
        monkeypatch.delenv(name)
    for given, wanted in (("", []), ("true", ["pages"])):
        monkeypatch.setenv("CI", given)
        run_tests.main(wanted)
        assert "DLBOOK_BROWSER_UNTIL" not in seen
    monkeypatch.setenv("CI", "true")
    run_tests.main([])
    assert float(seen["DLBOOK_BROWSER_UNTIL"]) > 0 and seen["DLBOOK_BROWSER_ORDER"]


def test_a_stage_that_ends_in_ci_is_not_extrapolated_beyond_its_end():
    known = {"all": Stage((), grows=1.0), "pages": Stage((), grows=1.0, share=1.0)}
    results = {"all": Result(True, 600, 1), "pages": Result(True, 600, 1)}
    told = [
        line.split()[4]
        for line in summary(results, known, chapters=run_tests.WHOLE_BOOK // 2).splitlines()[1:3]
    ]
    assert told == ["1200", "1200"]
    results["all"] = Result(True, 1500, 1)  # 50 of 55 minutes, and a stage has six in any case
    assert summary(results, known, run_tests.WHOLE_BOOK // 2).splitlines()[2].split()[4] == "360"


def test_every_forking_file_is_left_out_of_the_common_run_and_has_its_own():
    stage = stages()["unit"]
    files = {str(f.relative_to(ROOT)): f.read_text("utf8") for f in (ROOT / "tests").rglob("test_*.py")}
    users = {name for name, text in files.items() if "from tests.many_processes import" in text}
    users.discard("tests/scripts/test_run_tests.py")  # it only says the words
    assert users and users <= set(forking())
    assert [c[-1] for c in stage.together] == forking()
    assert all(f"--ignore={file}" in stage.commands[0] for file in forking())


def test_every_file_that_drives_a_browser_is_in_one_of_the_two_stages():
    users = {
        str(f.relative_to(ROOT))
        for f in (ROOT / "tests").rglob("test_*.py")
        if re.search(
            r"^def test_\w+\([^)]*\b(browser|wide_page|address)\b", f.read_text("utf8"), re.MULTILINE
        )
    }
    asked = {word for name in ("pages", "figures") for word in stages()[name].commands[0]}
    assert len(users) > 15 and users <= asked
    assert asked & {"tests/conftest.py", "tests"} == set() and users <= set(marked("browser"))
