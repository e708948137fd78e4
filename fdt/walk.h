/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk over a structure block that fdt_check_full() has passed, tag by tag.
 *
 * Private to fdt/. It does what fdt_next_tag() does, in a fraction of the instructions: the header is
 * read once, not for every character of a node's name (with it, reading virt's FDT takes 50,000 instead
 * of 165,000). It stays inside the blocks whatever is in them, but only of a checked blob does it see
 * the same tree as libfdt.
 */
#ifndef LIFEBOAT_FDT_WALK_H
#define LIFEBOAT_FDT_WALK_H

#include <string.h>

#include "fdt/prop.h"

struct walk {
	const char *structure;
	uint32_t structure_size;
	const char *strings;
	uint32_t strings_size;

	/* The tag that walk_next() has read. */
	uint32_t offset; /* its own, in the structure block */
	uint32_t next;	 /* of the tag behind it */

	/* What it says; of a property only once walk_property() has been asked. */
	const char *name;   /* of the node that begins, or of the property */
	uint32_t name_room; /* bytes from name to the end of its block */
	struct prop value;  /* of the property */
};

/** Start before the first tag of @blob. */
void walk_start(struct walk *w, const void *blob);

/** Start behind the tag with which the node at the offset @node begins. */
void walk_start_in(struct walk *w, const void *blob, uint32_t node);

/** Read the next tag. Return: FDT_BEGIN_NODE, FDT_END_NODE, FDT_PROP or FDT_NOP; FDT_END at the end. */
uint32_t walk_next(struct walk *w);

/** The number in the word at @offset, of which the caller knows that it is there. A call would cost more. */
__attribute__((always_inline)) static inline uint32_t walk_word(const struct walk *w, size_t offset)
{
	const uint8_t *byte = (const uint8_t *)w->structure + offset;

	return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

/** Where the name of the property is in the strings, or outside of them. */
static inline uint32_t walk_name_at(const struct walk *w)
{
	return walk_word(w, w->offset + FDT_TAGSIZE + sizeof(fdt32_t));
}

/** Read the name and the value of the property. name_room is 0 if the strings do not have the name. */
void walk_property(struct walk *w);

/** Read the node's next property, from its begin or from another of it. Return: false if there is none. */
bool walk_next_property(struct walk *w);

/** Go behind the end of the node that begins: what is next is beside it. Return: false if nothing ends it. */
bool walk_skip(struct walk *w);

/** Is the property that was read called @wanted, of @length characters? Most differ in length. */
static inline bool walk_property_is(const struct walk *w, const char *wanted, size_t length)
{
	return w->name_room > length && !w->name[length] && memcmp(w->name, wanted, length) == 0;
}

/** Is the node that begins called @wanted, with or without a unit address? */
bool walk_node_is(const struct walk *w, const char *wanted);

#endif
