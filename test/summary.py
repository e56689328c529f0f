# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Adds up the result files of GoogleTest, ctest and lit: every failure, every skip with its reason, one last line.

    python3 test/summary.py RESULT_FOLDER...

A folder holds ctest.xml (which programs ran, and how each ended), one NAME.xml per GoogleTest program and, in one of
them, lit.xml. A program that ended badly and left no failing case (a crash, a time-out) is one failure.
"""
import os
import sys
import xml.etree.ElementTree as ET

# What a lit feature that a test asks for and does not get means to a reader.
FEATURES = {
    "ptxas": "no ptxas of CUDA 13 here and none could be fetched",
    "root": "needs root, for a chroot or another user",
    "cuda-driver": "no NVIDIA driver here",
    "terminal": "no pseudo-terminal can be opened here (/dev/pts)",
    "long": "runs only with --long",
    "quick": "left out by --quick",
}


def reason(text):
    lines = [line for line in (text or "").splitlines() if line.strip()]
    # GoogleTest puts the place first and the message after it.
    if len(lines) > 1 and ".cpp:" in lines[0]:
        lines = lines[1:]
    line = " ".join(lines) if lines else "no reason given"
    if line == "Unsupported configuration":  # `UNSUPPORTED: quick`, the only such line that tests here have
        return FEATURES["quick"]
    for feature, meaning in FEATURES.items():
        if line.startswith(("Missing required", "Test does not support")) and line.endswith(": " + feature):
            return meaning
    return line


def cases(path):
    """Yields (name, outcome, text) of a junit file."""
    for case in ET.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        failure = case.find("failure")
        if failure is None:
            failure = case.find("error")
        skipped = case.find("skipped")
        if failure is not None:
            yield name, "failed", failure.text or failure.get("message") or ""
        elif skipped is not None:
            yield name, "skipped", reason(skipped.get("message"))
        elif case.get("status") == "notrun":
            yield name, "skipped", "disabled"
        else:
            yield name, "passed", ""


def programs(folder):
    """Yields the cases of every GoogleTest program that ctest ran."""
    path = os.path.join(folder, "ctest.xml")
    if not os.path.exists(path):
        yield folder, "failed", "ctest did not run"
        return
    for program in ET.parse(path).getroot().iter("testcase"):
        name, own = program.get("name"), os.path.join(folder, program.get("name") + ".xml")
        outcomes = list(cases(own)) if os.path.exists(own) else []
        yield from ((f"{name}: {case}", outcome, text) for case, outcome, text in outcomes)
        bad = program.get("status") == "fail" or program.find("failure") is not None
        if bad and not any(outcome == "failed" for _, outcome, _ in outcomes):
            output = program.findtext("system-out") or ""
            tail = "\n".join(output.splitlines()[-20:])
            yield name, "failed", f"the program crashed, ran out of time or could not start\n{tail}"


def main():
    folders, count = sys.argv[1:], {"passed": 0, "failed": 0, "skipped": 0}
    results = [result for folder in folders for result in programs(folder)]
    lit = [path for folder in folders if os.path.exists(path := os.path.join(folder, "lit.xml"))]
    for path in lit:
        results += [("lit: " + name, outcome, text) for name, outcome, text in cases(path)]
    if not lit:
        results.append(("lit", "failed", "lit left no results: build/release/lit.log has its words"))
    for outcome in ("skipped", "failed"):
        for name, found, text in results:
            if found == outcome:
                print(f"{outcome.upper()} {name}: {text.strip()}")
    for _, outcome, _ in results:
        count[outcome] += 1
    if count["passed"] + count["failed"] == 0:
        print("No test ran, which is a failure.")
        count["failed"] = 1
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**count))
    return 1 if count["failed"] else 0


sys.exit(main())
