/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of bundles share: the FITs of make_fits.py, and what must hold after every reading.
 *
 * Every bundle lies in a heap block of exactly its size, so that the address sanitizer sees each byte read
 * too many.
 */
#ifndef LIFEBOAT_TESTS_BUNDLE_CHECK_H
#define LIFEBOAT_TESTS_BUNDLE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/bundle/choices.h"

struct file {
	uint8_t *bytes;
	size_t size;
};

static inline struct file load_path(const char *path)
{
	struct file file;
	FILE *stream = fopen(path, "rb");

	if (!stream)
		fail_msg("%s can not be opened: build the tests again", path);
	assert_int_equal(fseek(stream, 0, SEEK_END), 0);
	file.size = (size_t)ftell(stream);
	rewind(stream);
	file.bytes = malloc(file.size);
	assert_non_null(file.bytes);
	assert_int_equal(fread(file.bytes, 1, file.size, stream), file.size);
	fclose(stream);
	return file;
}

static inline struct file load_file(const char *name)
{
	const char *directory = getenv("LIFEBOAT_FITS");
	char path[512];

	if (!directory)
		fail_msg("LIFEBOAT_FITS is not set: run tests/unit/make_fits.py DIR and set it to DIR");
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return load_path(path);
}

static inline struct file load_fit(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s.itb", name);
	return load_file(path);
}

/*
 * Where @payload lies in @file, by its bytes. When mkimage moves data behind the tree, it leaves the old
 * bytes in the hole between them if there is one; so the last place counts.
 */
static inline size_t find_payload(struct file file, const char *payload)
{
	struct file wanted = load_file(payload);
	size_t found = 0, places = 0;

	for (size_t i = 0; i + wanted.size <= file.size; i++) {
		if (memcmp(file.bytes + i, wanted.bytes, wanted.size) == 0) {
			found = i;
			places++;
		}
	}
	assert_true(places > 0);
	free(wanted.bytes);
	return found;
}

static inline size_t payload_size(const char *payload)
{
	struct file file = load_file(payload);

	free(file.bytes);
	return file.size;
}

/* The size of the tree alone, from its header. */
static inline uint32_t tree_size(struct file file)
{
	const void *blob = file.bytes;

	return fdt_totalsize(blob);
}

static inline void check_diag(enum lb_err err, const struct diag *diag)
{
	size_t length = strlen(diag->text);

	if (err == LB_OK)
		return;
	assert_in_range(err + 100, 100 + LB_EUNSUPPORTED, 99);
	assert_in_range(length, 10, sizeof(diag->text) - 1);
	assert_null(strchr(diag->text, '\n'));
}

/* What a configuration must keep whatever the bundle said. */
static inline void check_config(const struct bundle_config *config, uint64_t size)
{
	assert_non_null(config->name);
	assert_in_range(strlen(config->name), 0, size);
	if (config->bootargs)
		assert_in_range(strlen(config->bootargs), 0, size);
	assert_true(config->kernel.size > 0);
	for (size_t i = 0; bundle_config_blob(config, i); i++) {
		const struct bundle_blob *blob = bundle_config_blob(config, i);

		assert_true((unsigned __int128)blob->offset + blob->size <= size);
		assert_in_range(strlen(blob->node), 0, size);
		assert_in_range(blob->hashes.count, 0, IMAGE_HASHES_MAX);
	}
	if (config->packed.by) {
		assert_true((unsigned __int128)config->packed.offset + config->packed.size <=
			    config->kernel.size);
		return;
	}
	assert_in_range(config->image.segment_count, 1, IMAGE_SEGMENT_MAX);
	for (size_t i = 0; i < config->image.segment_count; i++) {
		const struct image_segment *s = &config->image.segment[i];

		assert_true((unsigned __int128)s->offset + s->file_size <= config->kernel.size);
	}
}

static inline enum lb_err open_bundle(struct file file, struct bundle *bundle, struct diag *diag)
{
	enum lb_err err;

	diag->text[0] = '\0';
	err = bundle_open(file.bytes, file.size, bundle, diag);
	check_diag(err, diag);
	return err;
}

static inline bool is_fit(struct file file)
{
	struct bundle bundle;
	struct diag diag;

	return open_bundle(file, &bundle, &diag) == LB_OK && bundle.is_fit;
}

static inline enum lb_err read_size(struct file file, uint64_t *total, struct diag *diag)
{
	struct bundle bundle;
	enum lb_err err = open_bundle(file, &bundle, diag);

	return err ? err : bundle_size(&bundle, total, diag);
}

/* A machine whose FDT does not say what it is. */
static const struct machine no_board;

/* Without a @name the one that a machine takes that says nothing of itself. */
static inline enum lb_err read_config(struct file file, const char *name, struct bundle_config *config,
				      struct diag *diag)
{
	struct choices choices;
	struct bundle bundle;
	enum lb_err err = open_bundle(file, &bundle, diag);

	if (err == LB_OK && !name) {
		err = choices_read(&bundle, &no_board, &choices, diag);
		name = choices.name[0];
	}
	if (err == LB_OK)
		err = bundle_read_config(&bundle, name, config, diag);
	check_diag(err, diag);
	if (err == LB_OK)
		check_config(config, file.size);
	return err;
}

static inline void assert_says(const struct diag *diag, const char *wanted)
{
	if (!strstr(diag->text, wanted))
		fail_msg("'%s' does not say '%s'", diag->text, wanted);
}

/* The first @size bytes of @file, in a block of their own. */
static inline struct file cut(struct file file, size_t size)
{
	struct file result = {.bytes = malloc(size ? size : 1), .size = size};

	assert_non_null(result.bytes);
	memcpy(result.bytes, file.bytes, size);
	return result;
}

#endif
