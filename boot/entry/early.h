/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C code that runs before paging: at the physical address, so without absolute addresses (no tables
 * of pointers, no printf). Called by head.S, and by what else runs with paging off.
 */
#ifndef LIFEBOAT_BOOT_ENTRY_EARLY_H
#define LIFEBOAT_BOOT_ENTRY_EARLY_H

#include "base/types.h"

/**
 * Build the tables that turn paging on: the stage's sections, and its first page also at VA = PA.
 *
 * @stage_pa  where the image lies
 * @found     receives levels (the smallest mode that can map the page at VA = PA) and pages of the pool used
 * Return: the value for satp; 0 when no mode can.
 */
uint64_t early_build_tables(paddr_t stage_pa, uint64_t found[2]);

/** Say why the stage ends here and switch off. Returns only if the firmware can not. */
void early_fail(unsigned reason, uint64_t scause, uint64_t sepc, uint64_t stval);

/** Print @text, by DBCN or the legacy call. Context: paging off. */
void early_say(const char *text);

/** Print @label and @value, 16 hexadecimal digits. Context: paging off. */
void early_say_hex(const char *label, uint64_t value);

#endif
