# SPDX-License-Identifier: BSD-2-Clause
"""Each fuzz target for a few seconds, the same inputs in the same order; tools/lifeboat fuzz goes on for long.

The same: a fixed seed, the first inputs by their names, and no help by what the program compares (libFuzzer keeps that
by address, which is another one in each run). Signed bundles are made by each build: there it is this build's own.
"""

import base64

from pathlib import Path

import pytest

from lifeboatlib import fuzzing
from lifeboatlib.fuzzing import TARGETS, Outcome, Target
from lifeboatlib.paths import REPO, fuzz_dir

SEED = 20251127


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the targets begin with."""
    directory = tmp_path_factory.mktemp("seeds")
    fuzzing.make_seeds(directory)
    return directory


def fuzzed(target: Target, seeds: Path, scratch: Path) -> Outcome:
    """So many inputs, from a fixed seed on."""
    assert fuzzing.program(fuzz_dir(), target).exists(), "the fuzz targets are not built: run tools/lifeboat test"
    first = scratch / "first"
    first.write_text(",".join(map(str, sorted((seeds / target.name).iterdir()))), encoding="ascii")
    options = [f"-runs={target.runs}", f"-seed={SEED}", "-use_cmp=0", f"-seed_inputs=@{first}"]
    return fuzzing.run(target, options, [], scratch)


def told(outcome: Outcome, scratch: Path) -> str:
    """All that is needed to see it again, on another machine, too."""
    found = [base64.b64encode(path.read_bytes()).decode() for path in scratch.glob(f"{outcome.target}-*")]
    return "\n".join([str(outcome), outcome.said, *(f"the input, in base64: {text}" for text in found)])


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_is_found(target: Target, seeds: Path, tmp_path: Path) -> None:
    """No check fails, no sanitizer complains, and the target gets somewhere with its inputs."""
    outcome = fuzzed(target, seeds, tmp_path)
    assert not outcome.trouble, told(outcome, tmp_path)
    assert outcome.executions >= target.runs
    assert outcome.edges > 100, f"{outcome}: the target is blind"


@pytest.mark.slow
def test_a_second_run_tries_the_same(seeds: Path, tmp_path: Path) -> None:
    """What is green today is green tomorrow, and what is red can be looked at."""
    target = next(target for target in TARGETS if target.name == "fdt_merge")
    outcomes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        outcomes.append(fuzzed(target, seeds, tmp_path / name))
    assert outcomes[0].edges == outcomes[1].edges
    assert outcomes[0].inputs == outcomes[1].inputs


def test_every_target_is_known() -> None:
    """The tool, the build and the seeds have the same targets."""
    names = {target.name for target in TARGETS}
    text = (REPO / "tests" / "fuzz" / "meson.build").read_text(encoding="utf-8")
    assert names == {line.split("'")[1] for line in text.splitlines() if line.startswith("    '")}
    for target in TARGETS:
        assert not target.words or (REPO / "tests" / "fuzz" / f"{target.words}.dict").is_file()
