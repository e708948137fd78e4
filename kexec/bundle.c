// SPDX-License-Identifier: BSD-2-Clause
/* The bundle: what its images and configurations mean, and which of them this stage can start. */
#include "kexec/bundle.h"

#include <inttypes.h>
#include <string.h>

#include "fdt/fit.h"

enum image_property {
	IMAGE_TYPE,
	IMAGE_ARCH,
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
	const char *type; /* "" until check_type() has found it good */
	struct fit_property property[IMAGE_PROPERTIES];
};

enum config_property {
	CONFIG_KERNEL,
	CONFIG_RAMDISK,
	CONFIG_FDT,
	CONFIG_BOOTARGS,
	CONFIG_FIRST_UNSUPPORTED,
	CONFIG_FIRMWARE = CONFIG_FIRST_UNSUPPORTED,
	CONFIG_LOADABLES,
	CONFIG_FPGA,
	CONFIG_PROPERTIES,
};

/* What an image may be used for: the types that it may have then, and what to do about compression. */
struct role {
	const char *name;
	const char *types[4];
	const char *compression_hint;
};

#define TYPE_NOLOAD "kernel_noload"

static const struct role kernel_role = {
	.name = "kernel",
	.types = {"kernel", TYPE_NOLOAD, "standalone", "firmware"},
	.compression_hint = "put it in uncompressed",
};

static const struct role ramdisk_role = {
	.name = "ramdisk",
	.types = {"ramdisk"},
	.compression_hint = "write \"none\", Linux unpacks it",
};

struct format {
	bool (*matches)(const void *data, uint64_t size);
	enum lb_err (*read)(const void *data, uint64_t size, struct image *image, struct diag *diag);
};

static const struct format formats[] = {
	{image_is_elf, image_read_elf},
	{image_is_linux, image_read_linux},
};

/* The format that the first bytes tell, or NULL. */
static const struct format *find_format(const void *data, uint64_t size)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		if (formats[i].matches(data, size))
			return &formats[i];
	}
	return NULL;
}

static enum lb_err read_image_node(const struct fit *fit, int node, struct image_node *image,
				   struct diag *diag)
{
	*image = (struct image_node){
		.name = fit_node_name(fit, node),
		.type = "",
		.property =
			{
				[IMAGE_TYPE] = {.name = "type"},
				[IMAGE_ARCH] = {.name = "arch"},
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

/* Read a property that holds one string or is absent (NULL). */
static enum lb_err read_string(const struct fit_property *property, const char *node, const char **string,
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
	*blob = (struct bundle_blob){.node = image->name};
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

static enum lb_err check_type(struct image_node *image, const struct role *role, struct diag *diag)
{
	const char *type = NULL;
	enum lb_err err = read_string(&image->property[IMAGE_TYPE], image->name, &type, diag);
	size_t i;

	if (err)
		return err;
	if (!type)
		return diag_fail(diag, LB_EFORMAT, "bundle: image '" FIT_NAME "' has no type", image->name);
	for (i = 0; i < ARRAY_SIZE(role->types) && role->types[i]; i++) {
		if (strcmp(type, role->types[i]) == 0) {
			image->type = type;
			return LB_OK;
		}
	}
	return diag_fail(diag, LB_EUNSUPPORTED,
			 "bundle: image '" FIT_NAME "' has the type '" FIT_NAME
			 "', which can not serve as a %s",
			 image->name, type, role->name);
}

/* Type, arch and compression: can this build use the image in this role? */
static enum lb_err check_usable(struct image_node *image, const struct role *role, struct diag *diag)
{
	const char *arch = NULL, *compression = NULL;
	enum lb_err err = check_type(image, role, diag);

	if (err == LB_OK)
		err = read_string(&image->property[IMAGE_ARCH], image->name, &arch, diag);
	if (err == LB_OK)
		err = read_string(&image->property[IMAGE_COMPRESSION], image->name, &compression, diag);
	if (err)
		return err;
	if (arch && strcmp(arch, "riscv") != 0)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: image '" FIT_NAME "' is for the arch '" FIT_NAME
				 "', not for 'riscv'",
				 image->name, arch);
	if (compression && strcmp(compression, "none") != 0)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: image '" FIT_NAME "' has the compression '" FIT_NAME
				 "', which this build can not unpack: %s",
				 image->name, compression, role->compression_hint);
	return LB_OK;
}

/* Find the image that a configuration names for @role, and check that it can have it. */
static enum lb_err read_image(const struct fit *fit, const char *name, const struct role *role,
			      struct image_node *image, struct bundle_blob *blob, struct diag *diag)
{
	int node;
	enum lb_err err = fit_find_child(fit, fit->images, name, &node, diag);

	if (err == LB_ENOENT)
		return diag_fail(diag, LB_ENOENT,
				 "bundle: there is no image '" FIT_NAME "' to serve as the %s", name,
				 role->name);
	if (err == LB_OK)
		err = read_image_node(fit, node, image, diag);
	if (err == LB_OK)
		err = check_usable(image, role, diag);
	if (err)
		return err;
	err = locate_data(fit, image, blob, diag);
	if (err == LB_ENOENT)
		return diag_fail(diag, LB_ENOENT, "bundle: image '" FIT_NAME "' has no data", image->name);
	if (err == LB_OK && blob->size == 0)
		return diag_fail(diag, LB_EFORMAT, "bundle: image '" FIT_NAME "' is empty", image->name);
	return err;
}

/* A raw binary goes where the bundle says. An entry of 0 leaves the choice too: it is the first byte. */
static enum lb_err read_raw(const struct image_node *node, struct bundle_config *config, struct diag *diag)
{
	uint64_t load, entry;
	enum lb_err err = read_number(node, IMAGE_LOAD, &load, diag);

	if (err == LB_OK)
		err = read_number(node, IMAGE_ENTRY, &entry, diag);
	if (err)
		return err;
	if (config->in_place)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: image '" FIT_NAME
				 "' is no Linux Image, so it can not be " TYPE_NOLOAD
				 ": use standalone, and give load",
				 node->name);
	if (load == 0)
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: image '" FIT_NAME
				 "' is neither a Linux Image nor an ELF, so it needs a load address",
				 node->name);
	return image_make_raw(config->kernel.size, load, entry ? entry : load, &config->image, diag);
}

static enum lb_err read_kernel(const struct fit *fit, const char *name, struct bundle_config *config,
			       struct diag *diag)
{
	const struct format *format;
	struct image_node node = {.type = ""};
	const uint8_t *bytes;
	enum lb_err err;

	if (!name)
		return diag_fail(diag, LB_ENOENT, "bundle: configuration '" FIT_NAME "' has no kernel",
				 config->name);
	err = read_image(fit, name, &kernel_role, &node, &config->kernel, diag);
	if (err)
		return err;
	config->in_place = strcmp(node.type, TYPE_NOLOAD) == 0;
	bytes = (const uint8_t *)fit->blob + config->kernel.offset;
	format = find_format(bytes, config->kernel.size);
	if (!format)
		return read_raw(&node, config, diag);
	return format->read(bytes, config->kernel.size, &config->image, diag);
}

static enum lb_err read_ramdisk(const struct fit *fit, const char *name, struct bundle_config *config,
				struct diag *diag)
{
	struct image_node node;

	if (!name)
		return LB_OK;
	return read_image(fit, name, &ramdisk_role, &node, &config->ramdisk, diag);
}

/* The configuration's name when the caller has none: /configurations' default, else the first one's. */
static enum lb_err find_default(const struct fit *fit, const char **name, struct diag *diag)
{
	struct fit_property property = {.name = "default"};
	enum lb_err err = fit_read_properties(fit, fit->configurations, &property, 1, diag);
	int first;

	if (err == LB_OK)
		err = read_string(&property, "configurations", name, diag);
	if (err || *name)
		return err;
	first = fit_first_child(fit, fit->configurations);
	if (first < 0)
		return diag_fail(diag, LB_ENOENT, "bundle: /configurations is empty");
	*name = fit_node_name(fit, first);
	return LB_OK;
}

static enum lb_err find_config(const struct fit *fit, const char *name, int *node, struct diag *diag)
{
	bool by_default = !name;
	enum lb_err err = LB_OK;

	if (fit->configurations < 0)
		return diag_fail(diag, LB_ENOENT, "bundle: it has no /configurations, so nothing to start");
	if (by_default)
		err = find_default(fit, &name, diag);
	if (err)
		return err;
	err = fit_find_child(fit, fit->configurations, name, node, diag);
	if (err == LB_ENOENT)
		return diag_fail(diag, LB_ENOENT, "bundle: the %sconfiguration '" FIT_NAME "' is not there",
				 by_default ? "default " : "", name);
	return err;
}

/* Refuse what would have to be loaded too and is not, so that nobody wonders why it is missing. */
static enum lb_err check_supported(const struct fit_property *properties, const char *config,
				   struct diag *diag)
{
	size_t i;

	for (i = CONFIG_FIRST_UNSUPPORTED; i < CONFIG_PROPERTIES; i++) {
		if (properties[i].value)
			return diag_fail(diag, LB_EUNSUPPORTED,
					 "bundle: configuration '" FIT_NAME
					 "' has '%s', this build loads only kernel and ramdisk",
					 config, properties[i].name);
	}
	return LB_OK;
}

static enum lb_err read_config_node(const struct fit *fit, int node, struct bundle_config *config,
				    struct diag *diag)
{
	struct fit_property property[CONFIG_PROPERTIES] = {
		[CONFIG_KERNEL] = {.name = "kernel"},	  [CONFIG_RAMDISK] = {.name = "ramdisk"},
		[CONFIG_FDT] = {.name = "fdt"},		  [CONFIG_BOOTARGS] = {.name = "bootargs"},
		[CONFIG_FIRMWARE] = {.name = "firmware"}, [CONFIG_LOADABLES] = {.name = "loadables"},
		[CONFIG_FPGA] = {.name = "fpga"},
	};
	const char *kernel = NULL, *ramdisk = NULL;
	size_t overlays;
	enum lb_err err;

	*config = (struct bundle_config){.name = fit_node_name(fit, node)};
	err = fit_read_properties(fit, node, property, CONFIG_PROPERTIES, diag);
	if (err == LB_OK)
		err = check_supported(property, config->name, diag);
	if (err == LB_OK)
		err = read_string(&property[CONFIG_BOOTARGS], config->name, &config->bootargs, diag);
	if (err == LB_OK)
		err = fit_read_strings(&property[CONFIG_FDT], config->name, &config->fdt, &overlays, diag);
	if (err == LB_OK)
		err = read_string(&property[CONFIG_KERNEL], config->name, &kernel, diag);
	if (err == LB_OK)
		err = read_string(&property[CONFIG_RAMDISK], config->name, &ramdisk, diag);
	if (err == LB_OK)
		err = read_kernel(fit, kernel, config, diag);
	if (err == LB_OK)
		err = read_ramdisk(fit, ramdisk, config, diag);
	return err;
}

bool bundle_is_fit(const void *data, uint64_t size)
{
	return fit_probe(data, size);
}

enum lb_err bundle_size(const void *data, uint64_t size, uint64_t *total, struct diag *diag)
{
	struct fit fit;
	enum lb_err err = fit_open(data, size, &fit, diag);
	uint64_t end;
	int node;

	if (err)
		return err;
	end = fit.tree_size;
	for (node = fit_first_child(&fit, fit.images); node >= 0; node = fit_next_child(&fit, node)) {
		struct image_node image;
		struct bundle_blob blob = {0};

		err = read_image_node(&fit, node, &image, diag);
		if (err == LB_OK)
			err = locate_data(&fit, &image, &blob, diag);
		if (err && err != LB_ENOENT)
			return err;
		if (blob.offset + blob.size > end)
			end = blob.offset + blob.size;
	}
	*total = end;
	return LB_OK;
}

enum lb_err bundle_find_data(const struct fit *fit, int image, struct bundle_blob *blob, struct diag *diag)
{
	struct image_node node;
	enum lb_err err = read_image_node(fit, image, &node, diag);

	if (err)
		return err;
	err = locate_data(fit, &node, blob, diag);
	if (err == LB_ENOENT)
		return diag_fail(diag, LB_ENOENT, "bundle: image '" FIT_NAME "' has no data", node.name);
	return err;
}

enum lb_err bundle_read_config(const void *data, uint64_t size, const char *name,
			       struct bundle_config *config, struct diag *diag)
{
	struct fit fit;
	int node = -1;
	enum lb_err err = fit_open(data, size, &fit, diag);

	if (err == LB_OK)
		err = find_config(&fit, name, &node, diag);
	if (err)
		return err;
	return read_config_node(&fit, node, config, diag);
}

enum lb_err bundle_read_bare(const void *data, uint64_t size, struct bundle_config *config, struct diag *diag)
{
	const struct format *format = find_format(data, size);
	uint8_t first[4] = {0};

	memcpy(first, data, size < sizeof(first) ? size : sizeof(first));
	if (!format)
		return diag_fail(
			diag, LB_EFORMAT,
			"bundle: neither a FIT nor a RISC-V Image nor an ELF (it begins with %02x %02x "
			"%02x %02x): make a bundle of it",
			first[0], first[1], first[2], first[3]);
	*config = (struct bundle_config){.name = "bare", .kernel = {.node = "bare", .size = size}};
	return format->read(data, size, &config->image, diag);
}
