// SPDX-License-Identifier: BSD-2-Clause
/* An image node of a bundle: where its bytes are, what it may be used for, and its hashes. */
#include "kexec/bundle/node.h"

#include <inttypes.h>
#include <string.h>

enum image_property {
	IMAGE_TYPE,
	IMAGE_ARCH,
	IMAGE_OS,
	IMAGE_COMPRESSION,
	IMAGE_LOAD,
	IMAGE_ENTRY,
	IMAGE_DATA,
	IMAGE_DATA_OFFSET,
	IMAGE_DATA_POSITION,
	IMAGE_DATA_SIZE,
	IMAGE_PROPERTIES,
};

struct image_node {
	const char *name;
	struct fit_property property[IMAGE_PROPERTIES];
};

static enum lb_err read_image_node(const struct fit *fit, int node, struct image_node *image,
				   struct diag *diag)
{
	*image = (struct image_node){
		.name = fit_node_name(fit, node),
		.property =
			{
				[IMAGE_TYPE] = {.name = "type"},
				[IMAGE_ARCH] = {.name = "arch"},
				[IMAGE_OS] = {.name = "os"},
				[IMAGE_COMPRESSION] = {.name = "compression"},
				[IMAGE_LOAD] = {.name = "load"},
				[IMAGE_ENTRY] = {.name = "entry"},
				[IMAGE_DATA] = {.name = "data"},
				[IMAGE_DATA_OFFSET] = {.name = "data-offset"},
				[IMAGE_DATA_POSITION] = {.name = "data-position"},
				[IMAGE_DATA_SIZE] = {.name = "data-size"},
			},
	};
	return fit_read_properties(fit, node, image->property, IMAGE_PROPERTIES, diag);
}

static bool has(const struct image_node *image, enum image_property which)
{
	return image->property[which].value != NULL;
}

static enum lb_err read_number(const struct image_node *image, enum image_property which, uint64_t *number,
			       struct diag *diag)
{
	return fit_read_number(&image->property[which], image->name, number, diag);
}

enum lb_err bundle_read_string(const struct fit_property *property, const char *node, const char **string,
			       struct diag *diag)
{
	size_t strings;
	enum lb_err err = fit_read_strings(property, node, string, &strings, diag);

	if (err == LB_OK && strings > 1)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: '%s' of '" FIT_NAME "' lists several things, this build takes one",
				 property->name, node);
	return err;
}

/* Data behind the tree. U-Boot counts data-offset from the tree's end, rounded up to a cell. */
static enum lb_err locate_external(const struct fit *fit, const struct image_node *image,
				   struct bundle_blob *blob, struct diag *diag)
{
	bool absolute = has(image, IMAGE_DATA_POSITION);
	uint64_t start = 0;
	enum lb_err err =
		read_number(image, absolute ? IMAGE_DATA_POSITION : IMAGE_DATA_OFFSET, &blob->offset, diag);

	if (err == LB_OK)
		err = read_number(image, IMAGE_DATA_SIZE, &blob->size, diag);
	if (err)
		return err;
	if (!has(image, IMAGE_DATA_SIZE))
		return diag_fail(diag, LB_EFORMAT, "bundle: image '" FIT_NAME "' has no data-size",
				 image->name);
	if ((!absolute && !align_up(fit->tree_size, sizeof(uint32_t), &start)) ||
	    __builtin_add_overflow(blob->offset, start, &blob->offset) ||
	    !range_is_valid(blob->offset, blob->size))
		return diag_fail(diag, LB_ERANGE,
				 "bundle: image '" FIT_NAME "' has an absurd place or size of its data",
				 image->name);
	if (blob->offset < fit->tree_size)
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: image '" FIT_NAME "' has its data inside the FIT's own structure",
				 image->name);
	return LB_OK;
}

/* Find an image's bytes. LB_ENOENT, with no line written, if the node has none. */
static enum lb_err locate_data(const struct fit *fit, const struct image_node *image,
			       struct bundle_blob *blob, struct diag *diag)
{
	const struct fit_property *data = &image->property[IMAGE_DATA];
	int places = has(image, IMAGE_DATA) + has(image, IMAGE_DATA_OFFSET) + has(image, IMAGE_DATA_POSITION);
	enum lb_err err;

	if (places == 0)
		return LB_ENOENT;
	if (places > 1)
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: image '" FIT_NAME "' says more than once where its data is",
				 image->name);
	if (data->value) {
		blob->offset = (uint64_t)(data->value - (const uint8_t *)fit->blob);
		blob->size = data->size;
		return LB_OK; /* inside the tree, which was checked whole */
	}
	err = locate_external(fit, image, blob, diag);
	if (err)
		return err;
	if (!range_fits(blob->offset, blob->size, fit->size))
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: image '" FIT_NAME "' ends at 0x%" PRIx64
				 ", beyond the bundle's end at 0x%" PRIx64
				 ": the bundle is truncated, copy it again",
				 image->name, blob->offset + blob->size, fit->size);
	return LB_OK;
}

/* ---- Hashes ---- */

enum hash_property { HASH_ALGO, HASH_VALUE, HASH_PROPERTIES };

static enum lb_err add_hash(const struct fit *fit, int node, struct bundle_blob *blob, struct diag *diag)
{
	struct fit_property property[HASH_PROPERTIES] = {
		[HASH_ALGO] = {.name = "algo"},
		[HASH_VALUE] = {.name = "value"},
	};
	struct image_hashes *hashes = &blob->hashes;
	const struct hash_algo *algo;
	const char *name = NULL;
	enum lb_err err = fit_read_properties(fit, node, property, HASH_PROPERTIES, diag);

	if (err == LB_OK)
		err = bundle_read_string(&property[HASH_ALGO], blob->node, &name, diag);
	if (err)
		return err;
	algo = name ? verify_find(name) : NULL;
	if (!algo)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: image '" FIT_NAME "' has a hash '" FIT_NAME
				 "', which this build does not know: use sha256",
				 blob->node, name ? name : "");
	if (!property[HASH_VALUE].value || property[HASH_VALUE].size != algo->size)
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: image '" FIT_NAME "' has no whole %s value: make the bundle again",
				 blob->node, algo->name);
	if (hashes->count == IMAGE_HASHES_MAX)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: image '" FIT_NAME "' has more than %d hashes", blob->node,
				 IMAGE_HASHES_MAX);
	hashes->hash[hashes->count].algo = algo;
	hashes->hash[hashes->count++].value = property[HASH_VALUE].value;
	return LB_OK;
}

/*
 * As in U-Boot, every child whose name begins so. A build without any algorithm says in the log that it
 * checks none.
 */
static enum lb_err read_hashes(const struct fit *fit, int image, struct bundle_blob *blob, struct diag *diag)
{
	enum lb_err err = LB_OK;
	int node;

	if (!verify_can())
		return LB_OK;
	for (node = fit_first_child(fit, image); !err && node >= 0; node = fit_next_child(fit, node)) {
		if (strncmp(fit_node_name(fit, node), "hash", 4) == 0)
			err = add_hash(fit, node, blob, diag);
	}
	return err;
}

/* ---- What it may be used for ---- */

static enum lb_err check_type(const struct bundle_blob *blob, const struct bundle_role *role,
			      struct diag *diag)
{
	size_t i;

	if (!blob->type)
		return diag_fail(diag, LB_EFORMAT, "bundle: image '" FIT_NAME "' has no type", blob->node);
	for (i = 0; i < ARRAY_SIZE(role->types) && role->types[i]; i++) {
		if (strcmp(blob->type, role->types[i]) == 0)
			return LB_OK;
	}
	return diag_fail(diag, LB_EUNSUPPORTED,
			 "bundle: image '" FIT_NAME "' has the type '" FIT_NAME
			 "', which can not serve as a %s",
			 blob->node, blob->type, role->name);
}

static enum lb_err check_usable(const struct bundle_blob *blob, const char *arch,
				const struct bundle_role *role, struct diag *diag)
{
	enum lb_err err = check_type(blob, role, diag);

	if (err)
		return err;
	if (arch && strcmp(arch, "riscv") != 0)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: image '" FIT_NAME "' is for the arch '" FIT_NAME
				 "', not for 'riscv'",
				 blob->node, arch);
	if (role->packed_hint && blob->compression)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: image '" FIT_NAME "' has the compression '" FIT_NAME
				 "', which is not unpacked for a %s: %s",
				 blob->node, blob->compression, role->name, role->packed_hint);
	return LB_OK;
}

static enum lb_err read_facts(const struct image_node *node, const struct bundle_role *role,
			      struct bundle_blob *blob, struct diag *diag)
{
	const struct {
		enum image_property property;
		const char **string;
	} strings[] = {
		{IMAGE_TYPE, &blob->type},
		{IMAGE_OS, &blob->os},
		{IMAGE_COMPRESSION, &blob->compression},
	};
	const char *arch = NULL;
	enum lb_err err = bundle_read_string(&node->property[IMAGE_ARCH], node->name, &arch, diag);

	for (size_t i = 0; err == LB_OK && i < ARRAY_SIZE(strings); i++)
		err = bundle_read_string(&node->property[strings[i].property], node->name, strings[i].string,
					 diag);
	if (err == LB_OK)
		err = read_number(node, IMAGE_LOAD, &blob->load, diag);
	if (err == LB_OK)
		err = read_number(node, IMAGE_ENTRY, &blob->entry, diag);
	if (err)
		return err;
	if (blob->compression && strcmp(blob->compression, "none") == 0)
		blob->compression = NULL;
	return check_usable(blob, arch, role, diag);
}

enum lb_err bundle_read_image(const struct fit *fit, const char *name, const struct bundle_role *role,
			      struct bundle_blob *blob, struct diag *diag)
{
	struct image_node image;
	int node;
	enum lb_err err = fit_find_child(fit, fit->images, name, &node, diag);

	if (err == LB_ENOENT)
		return diag_fail(diag, LB_ENOENT,
				 "bundle: there is no image '" FIT_NAME "' to serve as the %s", name,
				 role->name);
	if (err == LB_OK)
		err = read_image_node(fit, node, &image, diag);
	if (err)
		return err;
	*blob = (struct bundle_blob){.node = image.name};
	err = read_facts(&image, role, blob, diag);
	if (err)
		return err;
	err = locate_data(fit, &image, blob, diag);
	if (err == LB_ENOENT)
		return diag_fail(diag, LB_ENOENT, "bundle: image '" FIT_NAME "' has no data", image.name);
	if (err == LB_OK && blob->size == 0)
		return diag_fail(diag, LB_EFORMAT, "bundle: image '" FIT_NAME "' is empty", image.name);
	return err ? err : read_hashes(fit, node, blob, diag);
}

enum lb_err bundle_find_data(const struct fit *fit, int image, struct bundle_blob *blob, struct diag *diag)
{
	struct image_node node;
	enum lb_err err = read_image_node(fit, image, &node, diag);

	if (err)
		return err;
	*blob = (struct bundle_blob){.node = node.name};
	err = locate_data(fit, &node, blob, diag);
	if (err == LB_ENOENT)
		return diag_fail(diag, LB_ENOENT, "bundle: image '" FIT_NAME "' has no data", node.name);
	return err;
}
