"""Runs every test of a stack that is up and adds the counts together.

    test/run.py [--counts FILE] BUILD [FILTER]

BUILD is a Meson build folder with the C unit tests; each folder below test/
with test_*.py files is a pytest suite. FILTER is the name of one such folder
("unit" for the C tests) or a word that tests must have in their name. The last
line is "N passed, N failed" (it goes to FILE instead when one is given); the
status is 0 only when something ran and nothing failed. A skipped test says so, and counts as neither.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
SUITE_SECONDS = 900
CMOCKA = {"passed": re.compile(r"\[  PASSED  \] (\d+) test"),
          "failed": re.compile(r"\[  FAILED  \] [^\n]*?(\d+) test")}


class Count:
    """What ran; suites are added up."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def heading(name):
    print(f"\n--- {name} ---", flush=True)


def cases(record):
    """The cmocka cases in one program's output; a program without any is one."""
    text = record.get("stdout", "") + record.get("stderr", "")
    found = Count(*(sum(int(n) for n in CMOCKA[kind].findall(text))
                    for kind in ("passed", "failed")))
    good = record["result"] in ("OK", "EXPECTEDFAIL")
    if record["result"] == "SKIP":
        return Count(skipped=1)
    if good and found.passed == 0:
        found.passed = 1
    if not good and found.failed == 0:
        found.failed = 1
    return found


def unit(build, word):
    """The C tests, by Meson."""
    heading("unit")
    log = pathlib.Path(build) / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    command = ["meson", "test", "-C", build, "--no-rebuild",
               "--print-errorlogs", "--num-processes", "2"]
    if word:
        listed = subprocess.run(["meson", "test", "-C", build, "--list"],
                                check=True, capture_output=True, text=True)
        names = [line.split(" / ")[-1].split(":")[-1].strip()
                 for line in listed.stdout.splitlines() if word in line]
        if not names:
            return Count()
        command += names
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="STDOUT")
    done = subprocess.run(command, check=False, env=environment)
    total = Count()
    if log.exists():
        for line in log.read_text().splitlines():
            total.add(cases(json.loads(line)))
    if done.returncode != 0 and total.failed == 0:
        total.failed = 1
    return total


def pytest(folder, word):
    """One folder of Python tests, in a process of its own."""
    heading(folder.name)
    with tempfile.TemporaryDirectory() as scratch:
        report = pathlib.Path(scratch) / "report.xml"
        command = ["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-rfEs", "--tb=short",
                   "-p", "no:cacheprovider", f"--junitxml={report}",
                   f"--basetemp={scratch}/tmp", "--rootdir", str(ROOT),
                   str(folder)]
        if word:
            command += ["-k", word]
        try:
            done = subprocess.run(command, check=False, cwd=ROOT,
                                  timeout=SUITE_SECONDS)
            status = done.returncode
        except subprocess.TimeoutExpired:
            print(f"{folder.name}: not done after {SUITE_SECONDS} s")
            status = 1
        total = Count()
        if report.exists():
            for suite in xml.etree.ElementTree.parse(report).iter("testsuite"):
                bad = int(suite.get("failures")) + int(suite.get("errors"))
                skipped = int(suite.get("skipped"))
                total.add(Count(int(suite.get("tests")) - bad - skipped, bad,
                                skipped))
    # 5: the word has chosen none of this folder's tests.
    if status not in (0, 5) and total.failed == 0:
        total.failed = 1
    if status == 5 and not word:
        total.failed += 1
    return total


def run(build, wanted):
    """All that is wanted, added up."""
    folders = sorted({path.parent for path in ROOT.glob("test/*/test_*.py")})
    names = [folder.name for folder in folders] + ["unit"]
    word = "" if wanted in names else wanted
    total = Count()
    if wanted in ("", "unit") or word:
        total.add(unit(build, word))
    for folder in folders:
        if wanted in ("", folder.name) or word:
            total.add(pytest(folder, word))
    return total


def main():
    parser = argparse.ArgumentParser(description="run every test")
    parser.add_argument("--counts", type=pathlib.Path)
    parser.add_argument("build")
    parser.add_argument("filter", nargs="?", default="")
    options = parser.parse_args()
    total = run(options.build, options.filter)
    if total.skipped:
        print(f"\n{total.skipped} skipped (see above)")
    counts = f"{total.passed} passed, {total.failed} failed"
    if options.counts:
        options.counts.write_text(counts)
    else:
        print("\n" + counts, flush=True)
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
