/* SPDX-License-Identifier: BSD-2-Clause */
/* A walk through an FDT (Devicetree Specification chapter 5), independent of libfdt, which the stage uses. */
#ifndef LIFEBOAT_TESTS_FDT_H
#define LIFEBOAT_TESTS_FDT_H

#include "common.h"

#define FDT_DEPTH_MAX 16

/** The header, in the FDT's byte order; read it by be32(). */
struct fdt_header {
	uint32_t magic, totalsize, off_dt_struct, off_dt_strings, off_mem_rsvmap, version;
	uint32_t last_comp_version, boot_cpuid_phys, size_dt_strings, size_dt_struct;
};

enum fdt_event { FDT_NODE, FDT_PROPERTY, FDT_NODE_END, FDT_END, FDT_BROKEN };

/** Where the walk is. node[1] is the root's name; node[depth] the current node's. */
struct fdt_walk {
	const uint8_t *fdt;
	uint64_t at, end;
	size_t depth;
	const char *node[FDT_DEPTH_MAX];
	const char *property;
	const uint8_t *value;
	uint32_t size;
};

uint32_t be32(const void *at);

/** A number of @cells cells (one or two). */
uint64_t be_cells(const uint8_t *at, uint32_t cells);

void fdt_begin(struct fdt_walk *walk, const void *fdt);

/** FDT_BROKEN for anything that is not as the specification says, and for ever after FDT_END. */
enum fdt_event fdt_next(struct fdt_walk *walk);

#endif
