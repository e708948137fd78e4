// SPDX-License-Identifier: BSD-2-Clause
/* Access to the tree of a FIT: exact names, and properties whose shape is checked. */
#include "fdt/fit/fit.h"

#include <inttypes.h>
#include <string.h>

#include "fdt/sound.h"
#include "fdt/walk.h"
#include "fdt/words.h"

static bool has_fdt_magic(const void *data, uint64_t size)
{
	return size >= sizeof(uint32_t) && cells_number(data, 1) == FDT_MAGIC;
}

static bool is_named(const struct fit *fit, int node, const char *name)
{
	return strcmp(fit_node_name(fit, node), name) == 0;
}

/* Would libfdt, asked for @wanted, take a node named @name for it? */
static bool libfdt_would_match(const char *name, const char *wanted)
{
	size_t length = strlen(wanted);

	if (strncmp(name, wanted, length) != 0)
		return false;
	return name[length] == '\0' || (name[length] == '@' && !strchr(wanted, '@'));
}

bool fit_probe(const void *data, uint64_t size)
{
	struct fit fit = {.blob = data};
	int node;

	if (!has_fdt_magic(data, size))
		return false;
	if (!is_aligned((uintptr_t)data, 8) || size < sizeof(struct fdt_header) || sound_header(data) ||
	    fdt_totalsize(data) > size)
		return true;
	for (node = fit_first_child(&fit, 0); node >= 0; node = fit_next_child(&fit, node)) {
		if (is_named(&fit, node, "images"))
			return true;
	}
	return false;
}

/* All that can be said about the tree before its first node is looked at. */
static enum lb_err check_header(const void *blob, uint64_t size, struct diag *diag)
{
	if (!is_aligned((uintptr_t)blob, 8))
		return diag_fail(diag, LB_EINVAL, "bundle: must start at a multiple of 8 bytes; align it");
	if (!has_fdt_magic(blob, size))
		return diag_fail(diag, LB_EFORMAT, "bundle: not a FIT (no FDT magic at its start)");
	if (size < sizeof(struct fdt_header))
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: only %" PRIu64 " bytes long: it is truncated, copy it again", size);
	if (sound_header(blob))
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: the FIT's header is damaged, or no version 17 FDT: copy it again");
	if (fdt_totalsize(blob) > size)
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: the FIT says it is 0x%" PRIx32 " bytes, but ends at 0x%" PRIx64
				 ": it is truncated, copy it again",
				 fdt_totalsize(blob), size);
	return LB_OK;
}

enum lb_err fit_open_tree(const void *blob, uint64_t size, struct fit *fit, struct diag *diag)
{
	enum lb_err err = check_header(blob, size, diag);
	int fault;

	if (err)
		return err;
	*fit = (struct fit){.blob = blob,
			    .size = size,
			    .tree_size = fdt_totalsize(blob),
			    .images = -1,
			    .configurations = -1};
	fault = sound_tree(blob, fit->tree_size);
	if (fault)
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: the FIT's structure is damaged (%s): copy it again",
				 fdt_words(fault));
	return LB_OK;
}

enum lb_err fit_open(const void *blob, uint64_t size, struct fit *fit, struct diag *diag)
{
	enum lb_err err = fit_open_tree(blob, size, fit, diag);

	if (err)
		return err;
	err = fit_find_child(fit, 0, "images", &fit->images, diag);
	if (err == LB_ENOENT)
		return diag_fail(diag, LB_EFORMAT, "bundle: an FDT without /images: not a FIT");
	if (err)
		return err;
	err = fit_find_child(fit, 0, "configurations", &fit->configurations, diag);
	return err == LB_ENOENT ? LB_OK : err;
}

/* The next node on this level: the offset where it begins, or -1 if the level ends first. */
static int find_node(struct walk *w)
{
	uint32_t tag;

	do {
		tag = walk_next(w);
	} while (tag == FDT_PROP || tag == FDT_NOP);
	return tag == FDT_BEGIN_NODE ? (int)w->offset : -1;
}

int fit_first_child(const struct fit *fit, int parent)
{
	struct walk w;

	walk_start_in(&w, fit->blob, (uint32_t)parent);
	return find_node(&w);
}

int fit_next_child(const struct fit *fit, int node)
{
	struct walk w;

	walk_start_in(&w, fit->blob, (uint32_t)node);
	return walk_skip(&w) ? find_node(&w) : -1;
}

const char *fit_node_name(const struct fit *fit, int node)
{
	return (const char *)fit->blob + fdt_off_dt_struct(fit->blob) + node + FDT_TAGSIZE;
}

enum lb_err fit_find_child(const struct fit *fit, int parent, const char *name, int *node, struct diag *diag)
{
	int found = -1;
	int matches = 0;
	int child;

	for (child = fit_first_child(fit, parent); child >= 0; child = fit_next_child(fit, child)) {
		if (is_named(fit, child, name))
			found = child;
		if (libfdt_would_match(fit_node_name(fit, child), name))
			matches++;
	}
	if (found < 0)
		return LB_ENOENT;
	if (matches > 1)
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: several nodes are named '" FIT_NAME "' or '" FIT_NAME
				 "@...': rename all but one",
				 name, name);
	*node = found;
	return LB_OK;
}

static struct fit_property *find_wanted(struct fit_property *wanted, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(wanted[i].name, name) == 0)
			return &wanted[i];
	}
	return NULL;
}

enum lb_err fit_read_properties(const struct fit *fit, int node, struct fit_property *wanted, size_t count,
				struct diag *diag)
{
	struct walk w;
	size_t i;

	for (i = 0; i < count; i++)
		wanted[i].value = NULL;
	walk_start_in(&w, fit->blob, (uint32_t)node);
	while (walk_next_property(&w)) {
		struct fit_property *row = find_wanted(wanted, count, w.name);

		if (!row)
			continue;
		if (row->value)
			return diag_fail(diag, LB_EFORMAT,
					 "bundle: '" FIT_NAME "' has the property '%s' twice: make it again",
					 fit_node_name(fit, node), row->name);
		row->value = w.value.data;
		row->size = w.value.size;
	}
	return LB_OK;
}

enum lb_err fit_read_strings(const struct fit_property *property, const char *node, const char **first,
			     size_t *strings, struct diag *diag)
{
	const uint8_t *value = property->value;
	size_t count = 0;
	uint32_t i;

	if (value && (property->size == 0 || value[property->size - 1] != '\0'))
		return diag_fail(diag, LB_EFORMAT, "bundle: '%s' of '" FIT_NAME "' is not a string",
				 property->name, node);
	for (i = 0; value && i < property->size; i++)
		count += value[i] == '\0';
	*first = (const char *)value;
	*strings = count;
	return LB_OK;
}

bool fit_property_is(const struct fit_property *property, const char *value)
{
	return property->value && property->size == strlen(value) + 1 &&
	       !memcmp(property->value, value, property->size);
}

enum lb_err fit_read_number(const struct fit_property *property, const char *node, uint64_t *number,
			    struct diag *diag)
{
	const uint8_t *value = property->value;

	if (!value) {
		*number = 0;
		return LB_OK;
	}
	if (property->size != 4 && property->size != 8)
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: '%s' of '" FIT_NAME "' must be 1 or 2 cells, but has %" PRIu32
				 " bytes",
				 property->name, node, property->size);
	*number = cells_number(value, property->size / 4);
	return LB_OK;
}
