# SPDX-License-Identifier: BSD-2-Clause
"""The package in a real Debian: installed, the kernel dies, the dump is on its disk, and the next crash is prepared for."""

from pathlib import Path

import pytest

from lifeboatlib import aboard
from lifeboatlib.ui import Missing

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_a_debian_that_installs_the_package_has_its_dump(tmp_path: Path) -> None:
    story = aboard.Story(tmp_path, echo=None)
    try:
        for step in aboard.STEPS:
            step(story)
    except Missing as missing:
        pytest.skip(str(missing))
    assert any("MiB of dump" in fact for fact in story.facts)
