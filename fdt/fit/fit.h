/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access to the tree of a FIT: nodes by exact name, properties as checked strings and numbers.
 *
 * The mechanics only; what the properties mean is kexec/bundle/'s business. Strings and values point
 * into the blob, which must stay mapped and unchanged as long as they are used.
 *
 * libfdt finds "kernel" in a node named "kernel@1" when there is no unit address in the name asked for,
 * and takes the first of two equal names. Other FIT tools do the same, so what one of them checked could
 * be another node than the one that this stage starts. Here a name matches exactly or not at all, and a
 * tree in which it could be confused with a sibling's is refused.
 */
#ifndef LIFEBOAT_FDT_FIT_FIT_H
#define LIFEBOAT_FDT_FIT_FIT_H

#include "base/error.h"
#include "base/types.h"

/** How much of a name from outside goes into a message: enough to know it, little enough for the rest. */
#define FIT_NAME "%.40s"

struct fit {
	const void *blob;
	uint64_t size;	    /* bytes that may be read, external data included */
	uint64_t tree_size; /* the FDT's totalsize; at most @size */
	int images;	    /* offset of /images */
	int configurations; /* offset of /configurations; negative when absent */
};

/** One property of a node: a row of the table that fit_read_properties() fills. */
struct fit_property {
	const char *name;     /* in */
	const uint8_t *value; /* out; NULL when the node has no such property; not aligned */
	uint32_t size;	      /* out; bytes */
};

/**
 * Does @data begin like a FIT? Reads no further than @size.
 *
 * An FDT that is cut short or has a damaged header counts as one, so that fit_open() can say what is
 * wrong with it; a whole FDT only if it has /images.
 */
bool fit_probe(const void *data, uint64_t size);

/**
 * Check the whole tree (fdt_check_full) and find its two main nodes.
 *
 * @blob  8-byte aligned, @size bytes that may be read
 * Return: LB_OK; LB_EINVAL @blob is not aligned; LB_EFORMAT no FIT, or a truncated or damaged one. On
 *         error @fit is undefined.
 */
LB_MUST_CHECK enum lb_err fit_open(const void *blob, uint64_t size, struct fit *fit, struct diag *diag);

/**
 * Check the whole tree, as fit_open() does, of an FDT that need be no FIT: images and configurations are
 * negative.
 */
LB_MUST_CHECK enum lb_err fit_open_tree(const void *blob, uint64_t size, struct fit *fit, struct diag *diag);

/** The first child of @parent, and the sibling behind @node: a node's offset, negative at the end. */
int fit_first_child(const struct fit *fit, int parent);
int fit_next_child(const struct fit *fit, int node);

/** The name of @node, unit address included. */
const char *fit_node_name(const struct fit *fit, int node);

/**
 * Find the child of @parent that is named exactly @name.
 *
 * @node  receives its offset; unchanged on error
 * Return: LB_OK; LB_ENOENT there is none (@diag is unchanged: the caller knows what it means);
 *         LB_EFORMAT another child has this name too, with or without a unit address.
 */
LB_MUST_CHECK enum lb_err fit_find_child(const struct fit *fit, int parent, const char *name, int *node,
					 struct diag *diag);

/**
 * Fill a table of wanted properties in one pass over @node's own.
 *
 * Return: LB_OK, whether they are there or not; LB_EFORMAT a wanted one is there twice.
 */
LB_MUST_CHECK enum lb_err fit_read_properties(const struct fit *fit, int node, struct fit_property *wanted,
					      size_t count, struct diag *diag);

/**
 * Read a property as strings.
 *
 * @node    name of its node, for the message
 * @first   receives the first string; NULL when the property is absent
 * @strings receives their number; 0 when absent
 * Return: LB_OK; LB_EFORMAT empty, or no NUL at its end. On error the outputs are unchanged.
 */
LB_MUST_CHECK enum lb_err fit_read_strings(const struct fit_property *property, const char *node,
					   const char **first, size_t *strings, struct diag *diag);

/** Is the property the string @value? False when it is absent or no string. */
bool fit_property_is(const struct fit_property *property, const char *value);

/**
 * Read a property as a number of one or two cells (its length tells, as in U-Boot).
 *
 * @node    name of its node, for the message
 * @number  receives it; 0 when the property is absent
 * Return: LB_OK; LB_EFORMAT another length. On error @number is unchanged.
 */
LB_MUST_CHECK enum lb_err fit_read_number(const struct fit_property *property, const char *node,
					  uint64_t *number, struct diag *diag);

#endif
