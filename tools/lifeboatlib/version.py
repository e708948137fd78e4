# SPDX-License-Identifier: BSD-2-Clause
"""Which lifeboat this is: the file VERSION, which the stage and lifeboat-ctl are built with, too."""

from lifeboatlib.paths import REPO

VERSION = (REPO / "VERSION").read_text(encoding="utf-8").strip()
