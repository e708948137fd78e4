// SPDX-License-Identifier: BSD-2-Clause
/* The bundle: what it is, what its images and configurations mean, and which of them this stage can start. */
#include "kexec/bundle/bundle.h"

#include <inttypes.h>
#include <string.h>

#include "kexec/bundle/firmware.h"

enum config_property {
	CONFIG_KERNEL,
	CONFIG_RAMDISK,
	CONFIG_FDT,
	CONFIG_LOADABLES,
	CONFIG_BOOTARGS,
	CONFIG_FIRST_UNSUPPORTED,
	CONFIG_FIRMWARE = CONFIG_FIRST_UNSUPPORTED,
	CONFIG_FPGA,
	CONFIG_PROPERTIES,
};

#define TYPE_NOLOAD "kernel_noload"

static const struct bundle_role kernel_role = {
	.name = "kernel",
	.types = {"kernel", TYPE_NOLOAD, "standalone", "firmware"},
};

static const struct bundle_role ramdisk_role = {
	.name = "ramdisk",
	.types = {"ramdisk"},
	.packed_hint = "write \"none\", Linux unpacks it",
};

static const struct bundle_role fdt_role = {
	.name = "fdt",
	.types = {"flat_dt"},
	.packed_hint = "put it in uncompressed",
};

static const struct bundle_role loadable_role = {
	.name = "loadable",
	.types = {"loadable", "firmware", "standalone", "kernel", "ramdisk", "flat_dt"},
	.packed_hint = "put it in uncompressed",
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

/* A raw binary goes where the bundle says. An entry of 0 leaves the choice too: it is the first byte. */
static enum lb_err read_raw(uint64_t size, struct bundle_config *config, struct diag *diag)
{
	const struct bundle_blob *kernel = &config->kernel;

	if (config->in_place)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: image '" FIT_NAME
				 "' is no Linux Image, so it can not be " TYPE_NOLOAD
				 ": use standalone, and give load",
				 kernel->node);
	if (kernel->load == 0)
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: image '" FIT_NAME
				 "' is neither a Linux Image nor an ELF, so it needs a load address",
				 kernel->node);
	return image_make_raw(size, kernel->load, kernel->entry ? kernel->entry : kernel->load,
			      &config->image, diag);
}

enum lb_err bundle_read_payload(const void *data, uint64_t size, struct bundle_config *config,
				struct diag *diag)
{
	const struct format *format = find_format(data, size);

	return format ? format->read(data, size, &config->image, diag) : read_raw(size, config, diag);
}

static enum lb_err find_packed(const void *data, struct bundle_config *config, struct diag *diag)
{
	const char *name = config->kernel.compression;

	if (!name)
		return image_read_zboot(data, config->kernel.size, &config->packed, diag);
	config->packed = (struct image_packed){decompressor_by_name(name), 0, config->kernel.size};
	if (!config->packed.by)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: image '" FIT_NAME "' has the compression '" FIT_NAME
				 "', which this build can not unpack: put it in uncompressed",
				 config->kernel.node, name);
	return LB_OK;
}

static enum lb_err read_kernel(const struct fit *fit, const char *name, struct bundle_config *config,
			       struct diag *diag)
{
	const uint8_t *bytes;
	enum lb_err err;

	if (!name)
		return diag_fail(diag, LB_ENOENT, "bundle: configuration '" FIT_NAME "' has no kernel",
				 config->name);
	err = bundle_read_image(fit, name, &kernel_role, &config->kernel, diag);
	if (err)
		return err;
	config->in_place = strcmp(config->kernel.type, TYPE_NOLOAD) == 0;
	bytes = (const uint8_t *)fit->blob + config->kernel.offset;
	if (config->kernel.compression || image_is_zboot(bytes, config->kernel.size))
		return find_packed(bytes, config, diag);
	return bundle_read_payload(bytes, config->kernel.size, config, diag);
}

static bool has_place(const struct bundle_config *config, const char *image)
{
	const struct bundle_blob *blob;

	for (size_t i = 0; (blob = bundle_config_blob(config, i)); i++) {
		if (!strcmp(blob->node, image))
			return true;
	}
	return false;
}

/*
 * The images that a property lists, into @blobs. A loadable that is the kernel, a ramdisk or an FDT as well
 * (mkimage -f auto lists its kernel) is loaded as that, and so once.
 */
static enum lb_err read_images(const struct fit *fit, const struct fit_property *names,
			       const struct bundle_config *config, const struct bundle_role *role,
			       struct bundle_blob *blobs, struct diag *diag)
{
	const char *name = NULL;
	size_t count;
	enum lb_err err = fit_read_strings(names, config->name, &name, &count, diag);

	if (!err && count > BUNDLE_BLOBS_MAX)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "bundle: configuration '" FIT_NAME "' names more than %d images as its %s",
				 config->name, BUNDLE_BLOBS_MAX, role->name);
	for (; !err && count; count--, name += strlen(name) + 1) {
		if (role != &loadable_role || !has_place(config, name))
			err = bundle_read_image(fit, name, role, blobs++, diag);
	}
	return err;
}

static enum lb_err check_loadables(const struct bundle_config *config, struct diag *diag)
{
	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && config->loadable[i].size; i++) {
		const struct bundle_blob *blob = &config->loadable[i];

		if (!blob->load)
			return diag_fail(diag, LB_EFORMAT,
					 "bundle: loadable '" FIT_NAME "' has no load address", blob->node);
		if (!range_is_valid(blob->load, blob->size))
			return diag_fail(diag, LB_ERANGE,
					 "bundle: loadable '" FIT_NAME "' runs past the end of memory",
					 blob->node);
	}
	return LB_OK;
}

static enum lb_err find_config(const struct fit *fit, const char *name, int *node, struct diag *diag)
{
	enum lb_err err;

	if (fit->configurations < 0)
		return diag_fail(diag, LB_ENOENT, "bundle: it has no /configurations, so nothing to start");
	err = fit_find_child(fit, fit->configurations, name, node, diag);
	if (err == LB_ENOENT)
		return diag_fail(diag, LB_ENOENT, "bundle: the configuration '" FIT_NAME "' is not there",
				 name);
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
					 "' has '%s', which this stage does not load: use loadables",
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
	const struct {
		enum config_property names;
		const struct bundle_role *role;
		struct bundle_blob *blobs;
	} lists[] = {
		{CONFIG_RAMDISK, &ramdisk_role, config->ramdisk},
		{CONFIG_FDT, &fdt_role, config->fdt},
		{CONFIG_LOADABLES, &loadable_role, config->loadable},
	};
	const char *kernel = NULL;
	enum lb_err err;

	memset(config, 0, sizeof(*config));
	config->name = fit_node_name(fit, node);
	config->is_firmware = bundle_is_firmware(fit, node);
	err = fit_read_properties(fit, node, property, CONFIG_PROPERTIES, diag);
	if (err == LB_OK)
		err = check_supported(property, config->name, diag);
	if (err == LB_OK)
		err = bundle_read_string(&property[CONFIG_BOOTARGS], config->name, &config->bootargs, diag);
	if (err == LB_OK)
		err = bundle_read_string(&property[CONFIG_KERNEL], config->name, &kernel, diag);
	if (err == LB_OK)
		err = read_kernel(fit, kernel, config, diag);
	for (size_t i = 0; err == LB_OK && i < ARRAY_SIZE(lists); i++)
		err = read_images(fit, &property[lists[i].names], config, lists[i].role, lists[i].blobs,
				  diag);
	return err ? err : check_loadables(config, diag);
}

const struct bundle_blob *bundle_config_blob(const struct bundle_config *config, size_t index)
{
	const struct bundle_blob *const lists[] = {config->ramdisk, config->fdt, config->loadable};

	if (!index--)
		return &config->kernel;
	for (size_t list = 0; list < ARRAY_SIZE(lists); list++) {
		for (size_t i = 0; i < BUNDLE_BLOBS_MAX && lists[list][i].size; i++) {
			if (!index--)
				return &lists[list][i];
		}
	}
	return NULL;
}

enum lb_err bundle_size(const struct bundle *bundle, uint64_t *total, struct diag *diag)
{
	const struct fit *fit = &bundle->fit;
	uint64_t end = bundle->is_fit ? fit->tree_size : bundle->size;
	int node = bundle->is_fit ? fit_first_child(fit, fit->images) : -1;

	for (; node >= 0; node = fit_next_child(fit, node)) {
		struct bundle_blob blob = {.size = 0};
		enum lb_err err = bundle_find_data(fit, node, &blob, diag);

		if (err && err != LB_ENOENT)
			return err;
		if (!err && blob.offset + blob.size > end)
			end = blob.offset + blob.size;
	}
	*total = end;
	return LB_OK;
}

/* ---- A bare payload ---- */

static bool is_bare(const void *data, uint64_t size)
{
	return find_format(data, size) || image_is_zboot(data, size);
}

bool bundle_is_packed(const void *data, uint64_t size)
{
	return decompressor_by_magic((struct packed_bytes){data, size}) != NULL;
}

static enum lb_err unknown_bare(const void *data, uint64_t size, struct diag *diag)
{
	uint8_t first[4] = {0};

	memcpy(first, data, size < sizeof(first) ? size : sizeof(first));
	return diag_fail(diag, LB_EFORMAT,
			 "bundle: neither a FIT nor a RISC-V Image nor an ELF (it begins with "
			 "%02x %02x %02x %02x): make a bundle of it",
			 first[0], first[1], first[2], first[3]);
}

static enum lb_err read_bare(const void *data, uint64_t size, struct bundle_config *config, struct diag *diag)
{
	const struct format *format = find_format(data, size);

	memset(config, 0, sizeof(*config));
	config->name = "bare";
	config->kernel = (struct bundle_blob){.node = "bare", .size = size};
	if (format)
		return format->read(data, size, &config->image, diag);
	if (image_is_zboot(data, size))
		return image_read_zboot(data, size, &config->packed, diag);
	config->packed =
		(struct image_packed){decompressor_by_magic((struct packed_bytes){data, size}), 0, size};
	return config->packed.by ? LB_OK : unknown_bare(data, size, diag);
}

/* ---- Either ---- */

bool bundle_probe(const void *data, uint64_t size)
{
	return fit_probe(data, size) || is_bare(data, size);
}

enum lb_err bundle_open(const void *data, uint64_t size, struct bundle *bundle, struct diag *diag)
{
	*bundle = (struct bundle){
		.data = data,
		.size = size,
		.is_fit = fit_probe(data, size),
		.fit = {.images = -1, .configurations = -1},
	};
	return bundle->is_fit ? fit_open(data, size, &bundle->fit, diag) : LB_OK;
}

enum lb_err bundle_read_config(const struct bundle *bundle, const char *name, struct bundle_config *config,
			       struct diag *diag)
{
	int node = -1;
	enum lb_err err;

	if (!bundle->is_fit)
		return read_bare(bundle->data, bundle->size, config, diag);
	err = find_config(&bundle->fit, name, &node, diag);
	return err ? err : read_config_node(&bundle->fit, node, config, diag);
}
