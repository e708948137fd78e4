/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for trees of a board (fdt_lines.h): its root, RAM, and what the firmware reserves. */
#ifndef LIFEBOAT_TESTS_FDT_BOARD_H
#define LIFEBOAT_TESTS_FDT_BOARD_H

#include "tests/unit/fdt_lines.h"

#include "fdt/merge.h"
#include "fdt/read.h"

#define CELLS(node) node " #address-cells 2\n" node " #size-cells 2\n"
#define ROOT	    CELLS("/")
#define RESERVED    CELLS("/reserved-memory") "/reserved-memory ranges\n"
#define RAM(name)   name " device_type =memory\n" name " reg 0 0x80000000 0 0x40000000\n"
#define FIRMWARE    "/reserved-memory/fw@80000000"

static struct diag diag;

#endif
