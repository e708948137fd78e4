/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only firmware knows, in an FDT that is not the firmware's. Private to fdt/.
 *
 * A node is a fact by what it says, not by its name: docs/abi.md has the rules.
 */
#ifndef LIFEBOAT_FDT_FIRMWARE_H
#define LIFEBOAT_FDT_FIRMWARE_H

/**
 * Bring over to @out what only @firmware's FDT knows: memory nodes, reservations, harts that are not to be
 * had, and what of /chosen is missing or fresh.
 *
 * A copied node gets no phandle, nor what refers to one: those numbers mean something else in @out.
 * Return: 0, or a negative libfdt error: -FDT_ERR_NOSPACE; -FDT_ERR_BADNCELLS the two write addresses in
 *         different cells; another: a damaged FDT. After an error @out is an FDT still, but of no use.
 */
int firmware_take_over(void *out, const void *firmware);

/**
 * Reserve in @out what @firmware's /reserved-memory reserves and @out does not, or not as well.
 *
 * Return: as firmware_take_over().
 */
int firmware_reserve(void *out, const void *firmware);

#endif
