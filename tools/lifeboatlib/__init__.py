# SPDX-License-Identifier: BSD-2-Clause
"""The parts of the lifeboat command-line tool; tests import the same parts."""
