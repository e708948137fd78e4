/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine, read from its FDT in one pass.
 *
 * Devicetree Specification v0.4; RISC-V cpus binding.
 */
#ifndef LIFEBOAT_FDT_READ_H
#define LIFEBOAT_FDT_READ_H

#include "base/error.h"
#include "fdt/machine.h"

/** Linux maps two 2 MiB pages around an FDT, so a larger one is of no use to it (MAX_FDT_SIZE). */
#define FDT_SIZE_MAX (2 * MIB)

/**
 * Check a blob's header enough to know its size. Looks at the first 40 bytes only.
 *
 * Used before anything behind the header is mapped. @size receives totalsize, 40..FDT_SIZE_MAX.
 * Version 17 is read, which is what dtc writes, and later ones that say they are compatible with it.
 * Return: LB_OK; LB_EFORMAT no FDT, one of another version, or not 8-byte aligned; LB_ERANGE too large
 *         or too small. On error @size is unchanged.
 */
LB_MUST_CHECK enum lb_err fdt_peek_size(const void *header, uint64_t *size, struct diag *diag);

/**
 * The root's compatible of an FDT in which nothing was checked yet: to compare it, or to show it.
 *
 * @blob  @size bytes that may be read, aligned or not
 * @list_size  receives the bytes of the list, NULs included; unchanged if there is none
 * Return: the first of NUL-separated strings; NULL if it has none, or is no FDT.
 */
const char *fdt_peek_compatible(const void *blob, uint64_t size, size_t *list_size);

/**
 * Read the whole machine description.
 *
 * Everything is checked before use (fdt_check_full first): cells, lengths, ranges that overflow, counts.
 * Malformed nodes and values whose loss is harmless count as absent; a bad memory, reserved-memory or
 * lifeboat,bundle range is an error, since guessing there destroys data. So is a root without cells:
 * Linux's and the specification's defaults differ.
 * @blob  8-byte aligned   @size  bytes that are mapped; totalsize must not exceed it
 * @m     filled whole on LB_OK, undefined otherwise
 * Return: LB_OK; LB_EFORMAT; LB_ERANGE; LB_ENOENT no usable memory node; LB_ENOSPC more entries than @m
 *         holds.
 */
LB_MUST_CHECK enum lb_err fdt_read_machine(const void *blob, size_t size, struct machine *m,
					   struct diag *diag);

#endif
