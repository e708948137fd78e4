# SPDX-License-Identifier: BSD-2-Clause
"""Each fuzz target for a few seconds, the same inputs in the same order each time; tools/lifeboat fuzz goes on for long.

(Signed bundles are made by each build, so that target's inputs are this build's own.)
"""

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
    (scratch / "new").mkdir()
    options = [f"-runs={target.runs}", f"-seed={SEED}"]
    return fuzzing.run(target, options, [scratch / "new", seeds / target.name], scratch)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_is_found(target: Target, seeds: Path, tmp_path: Path) -> None:
    """No check fails, no sanitizer complains, and the target gets somewhere with its inputs."""
    outcome = fuzzed(target, seeds, tmp_path)
    assert not outcome.trouble, outcome
    assert outcome.executions >= target.runs
    assert outcome.edges > 100, f"{outcome}: the target is blind"


def test_every_target_is_known() -> None:
    """The tool, the build and the seeds have the same targets."""
    names = {target.name for target in TARGETS}
    text = (REPO / "tests" / "fuzz" / "meson.build").read_text(encoding="utf-8")
    assert names == {line.split("'")[1] for line in text.splitlines() if line.startswith("    '")}
    for target in TARGETS:
        assert not target.words or (REPO / "tests" / "fuzz" / f"{target.words}.dict").is_file()
