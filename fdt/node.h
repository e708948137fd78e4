/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nodes that the machine description is made of: which properties of each count, and what they mean.
 *
 * Private to fdt/. read.c walks the tree and collects the wanted properties of a node; node.c has the
 * reader that then looks at them together.
 */
#ifndef LIFEBOAT_FDT_NODE_H
#define LIFEBOAT_FDT_NODE_H

#include "base/error.h"
#include "fdt/machine.h"
#include "fdt/prop.h"

enum node_kind {
	NODE_OTHER, /* and everything below it */
	NODE_ROOT,
	NODE_CHOSEN,
	NODE_CPUS,
	NODE_CPU,
	NODE_RESERVED_MEMORY,
	NODE_RESERVATION,
	NODE_KEYS, /* /signature */
	NODE_TOP,  /* any other child of the root: memory, if its device_type says so */
	NODE_KINDS,
};

/** How the reg of a node's children is written: cells of an address, cells of a size. */
struct node_cells {
	uint32_t address;
	uint32_t size;
};

/** How much of a node's name goes into a message; it comes from outside, and may be long. */
#define NODE_NAME "%.48s"

/** No node of any kind wants more properties than this. */
#define NODE_PROPS_MAX 8

/** A node whose properties are all collected. */
struct node {
	const char *name;		/* with its unit address */
	const struct prop *prop;	/* in the order of its type's wanted */
	const struct node_cells *cells; /* how its own reg is written: what its parent says */
	struct node_cells *child_cells; /* receives what it says itself, if its kind does */
};

struct node_wanted {
	const char *name;
	size_t length;
};

/** What is wanted of a kind of node. */
struct node_type {
	const struct node_wanted *wanted;
	size_t wanted_count;
	enum lb_err (*read)(const struct node *node, struct machine *m, struct diag *diag);
};

/** By enum node_kind. */
extern const struct node_type node_types[NODE_KINDS];

/**
 * Add a reservation to @m.
 *
 * @name  must live as long as @m
 * Return: LB_OK; LB_ERANGE @range runs past 2^64 - 1; LB_ENOSPC @m holds no more.
 */
LB_MUST_CHECK enum lb_err node_add_reservation(struct machine *m, struct region range, const char *name,
					       bool no_map, struct diag *diag);

#endif
