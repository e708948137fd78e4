// SPDX-License-Identifier: BSD-2-Clause
/* Stepping from tag to tag through the structure block, once and cheaply. */
#include "fdt/walk.h"

#define PROPERTY_HEAD (sizeof(struct fdt_property) - FDT_TAGSIZE)

void walk_start(struct walk *w, const void *blob)
{
	w->structure = (const char *)blob + fdt_off_dt_struct(blob);
	w->structure_size = fdt_size_dt_struct(blob);
	w->strings = (const char *)blob + fdt_off_dt_strings(blob);
	w->strings_size = fdt_size_dt_strings(blob);
	w->offset = 0;
	w->next = 0;
}

void walk_start_in(struct walk *w, const void *blob, uint32_t node)
{
	walk_start(w, blob);
	w->next = node;
	walk_next(w);
}

/* Read a node's name at @at. Return: the offset behind it; 0 if it has no end. (A call would cost more.) */
static size_t read_name(struct walk *w, size_t at)
{
	w->name = w->structure + at;
	w->name_room = (uint32_t)(w->structure_size - at);
	while (at < w->structure_size) {
		if (!w->structure[at++])
			return at;
	}
	return 0;
}

/* Return: the offset behind the property whose length is at @at; 0 if it does not fit. */
static size_t behind_property(const struct walk *w, size_t at)
{
	if (!range_fits(at, PROPERTY_HEAD, w->structure_size) ||
	    !range_fits(at + PROPERTY_HEAD, walk_word(w, at), w->structure_size))
		return 0;
	return at + PROPERTY_HEAD + walk_word(w, at);
}

uint32_t walk_next(struct walk *w)
{
	const uint8_t *byte = (const uint8_t *)w->structure + w->next;
	uint32_t tag;
	size_t behind;

	w->offset = w->next;
	if (!range_fits(w->offset, FDT_TAGSIZE, w->structure_size) || byte[0] | byte[1] | byte[2])
		return FDT_END;
	tag = byte[3];
	behind = w->offset + FDT_TAGSIZE;
	if (tag == FDT_BEGIN_NODE)
		behind = read_name(w, behind);
	else if (tag == FDT_PROP)
		behind = behind_property(w, behind);
	else if (tag != FDT_END_NODE && tag != FDT_NOP)
		behind = 0;
	w->next = (uint32_t)(behind + FDT_TAGSIZE - 1) & ~(uint32_t)(FDT_TAGSIZE - 1);
	return behind ? tag : FDT_END;
}

void walk_property(struct walk *w)
{
	const size_t at = (size_t)w->offset + FDT_TAGSIZE;
	uint32_t name = walk_name_at(w);

	if (name > w->strings_size)
		name = w->strings_size;
	w->name = w->strings + name;
	w->name_room = w->strings_size - name;
	w->value.data = (const uint8_t *)w->structure + at + PROPERTY_HEAD;
	w->value.size = walk_word(w, at);
}

bool walk_next_property(struct walk *w)
{
	uint32_t tag;

	do {
		tag = walk_next(w);
	} while (tag == FDT_NOP);
	if (tag != FDT_PROP)
		return false;
	walk_property(w);
	return true;
}

bool walk_skip(struct walk *w)
{
	unsigned int depth = 1;

	while (depth) {
		const uint32_t tag = walk_next(w);

		if (tag == FDT_END)
			return false;
		depth += (tag == FDT_BEGIN_NODE) - (tag == FDT_END_NODE);
	}
	return true;
}

bool walk_node_is(const struct walk *w, const char *wanted)
{
	size_t length = strlen(wanted);

	return *w->name == *wanted && w->name_room > length && memcmp(w->name, wanted, length) == 0 &&
	       (w->name[length] == '\0' || w->name[length] == '@');
}
