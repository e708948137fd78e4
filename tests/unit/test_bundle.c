// SPDX-License-Identifier: BSD-2-Clause
/*
 * kexec/bundle.c and fdt/fit.c: real FITs made by mkimage, the same ones damaged, and hostile trees.
 *
 * The real ones come from make_fits.py, in the directory that LIFEBOAT_FITS names. Where a payload lies
 * in a FIT is found by searching for its bytes. Every bundle lies in a heap block of exactly its size, so
 * that the address sanitizer sees each byte read too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/bundle.h"

struct file {
	uint8_t *bytes;
	size_t size;
};

static struct file load_file(const char *name)
{
	const char *directory = getenv("LIFEBOAT_FITS");
	struct file file;
	char path[512];
	FILE *stream;

	if (!directory)
		fail_msg("LIFEBOAT_FITS is not set: run tests/unit/make_fits.py DIR and set it to DIR");
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	stream = fopen(path, "rb");
	if (!stream)
		fail_msg("%s can not be opened: run tests/unit/make_fits.py again", path);
	assert_int_equal(fseek(stream, 0, SEEK_END), 0);
	file.size = (size_t)ftell(stream);
	rewind(stream);
	file.bytes = malloc(file.size);
	assert_non_null(file.bytes);
	assert_int_equal(fread(file.bytes, 1, file.size, stream), file.size);
	fclose(stream);
	return file;
}

static struct file load_fit(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s.itb", name);
	return load_file(path);
}

/*
 * Where @payload lies in @file, by its bytes. When mkimage moves data behind the tree, it leaves the old
 * bytes in the hole between them if there is one; so the last place counts.
 */
static size_t find_payload(struct file file, const char *payload)
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

static size_t payload_size(const char *payload)
{
	struct file file = load_file(payload);

	free(file.bytes);
	return file.size;
}

static void check_diag(enum lb_err err, const struct diag *diag)
{
	size_t length = strlen(diag->text);

	if (err == LB_OK)
		return;
	assert_in_range(err + 100, 100 + LB_EUNSUPPORTED, 99);
	assert_in_range(length, 10, sizeof(diag->text) - 1);
	assert_null(strchr(diag->text, '\n'));
}

/* What a configuration must keep whatever the bundle said. */
static void check_config(const struct bundle_config *config, uint64_t size)
{
	assert_non_null(config->name);
	assert_in_range(strlen(config->name), 0, size);
	if (config->bootargs)
		assert_in_range(strlen(config->bootargs), 0, size);
	if (config->fdt)
		assert_in_range(strlen(config->fdt), 0, size);
	assert_true(config->kernel.size > 0);
	assert_true((unsigned __int128)config->kernel.offset + config->kernel.size <= size);
	assert_true((unsigned __int128)config->ramdisk.offset + config->ramdisk.size <= size);
	assert_in_range(strlen(config->kernel.node), 0, size);
	if (config->ramdisk.size)
		assert_in_range(strlen(config->ramdisk.node), 0, size);
	assert_in_range(config->image.segment_count, 1, IMAGE_SEGMENT_MAX);
	for (size_t i = 0; i < config->image.segment_count; i++) {
		const struct image_segment *s = &config->image.segment[i];

		assert_true((unsigned __int128)s->offset + s->file_size <= config->kernel.size);
	}
}

static enum lb_err read_config(struct file file, const char *name, struct bundle_config *config,
			       struct diag *diag)
{
	enum lb_err err;

	diag->text[0] = '\0';
	err = bundle_read_config(file.bytes, file.size, name, config, diag);
	check_diag(err, diag);
	if (err == LB_OK)
		check_config(config, file.size);
	return err;
}

static void assert_says(const struct diag *diag, const char *wanted)
{
	if (!strstr(diag->text, wanted))
		fail_msg("'%s' does not say '%s'", diag->text, wanted);
}

/* ---- what mkimage makes ---- */

static void assert_blob(struct file file, const struct bundle_blob *blob, const char *node,
			const char *payload)
{
	assert_string_equal(blob->node, node);
	assert_int_equal(blob->offset, find_payload(file, payload));
	assert_int_equal(blob->size, payload_size(payload));
}

static void embedded_and_external_data_are_found_where_they_lie(void **state)
{
	static const char *const names[] = {"embedded", "external", "external-tight", "position"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct file file = load_fit(names[i]);
		struct bundle_config config;
		struct diag diag;

		assert_true(bundle_is_fit(file.bytes, file.size));
		assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
		assert_string_equal(config.name, "conf");
		assert_string_equal(config.bootargs, "console=hvc0 quiet");
		assert_string_equal(config.fdt, "board");
		assert_blob(file, &config.kernel, "kernel", "linux.bin");
		assert_blob(file, &config.ramdisk, "ramdisk", "ramdisk.bin");
		assert_false(config.in_place);
		assert_int_equal(config.image.kind, IMAGE_LINUX);
		assert_false(config.image.fixed); /* load and entry do not matter to a Linux Image */
		assert_int_equal(config.image.mem_size, 0x400000);
		assert_int_equal(config.image.segment[0].file_size, payload_size("linux.bin"));
		free(file.bytes);
	}
}

static void a_noload_kernel_may_stay_in_place_and_needs_no_ramdisk(void **state)
{
	struct file file = load_fit("noload");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, "conf", &config, &diag), LB_OK);
	assert_true(config.in_place);
	assert_int_equal(config.image.kind, IMAGE_LINUX);
	assert_int_equal(config.ramdisk.size, 0);
	assert_null(config.bootargs);
	assert_null(config.fdt);
	assert_blob(file, &config.kernel, "kernel", "linux.bin");
	assert_int_equal(config.kernel.offset % 0x1000, 0);
	free(file.bytes);
}

static void a_raw_binary_goes_where_the_bundle_says(void **state)
{
	static const struct {
		const char *fit;
		uint64_t load, entry;
	} cases[] = {
		{"raw", 0x80400000, 0x80400010},
		{"raw-two-cells", 0x180400000, 0x180400010},
		{"raw-no-entry", 0x80400000, 0x80400000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = load_fit(cases[i].fit);
		struct bundle_config config;
		struct diag diag;

		assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
		assert_int_equal(config.image.kind, IMAGE_RAW);
		assert_true(config.image.fixed);
		assert_int_equal(config.image.segment[0].address, cases[i].load);
		assert_int_equal(config.image.segment[0].file_size, payload_size("raw.bin"));
		assert_int_equal(config.image.entry, cases[i].entry);
		free(file.bytes);
	}
}

static void an_elf_needs_no_load_address(void **state)
{
	struct file file = load_fit("elf");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_int_equal(config.image.kind, IMAGE_ELF);
	assert_true(config.image.fixed);
	assert_int_equal(config.image.segment[0].address, 0x80400000);
	assert_int_equal(config.image.entry, 0x80400078);
	assert_blob(file, &config.kernel, "kernel", "elf.bin");
	free(file.bytes);
}

static void each_of_several_configurations_can_be_asked_for(void **state)
{
	static const struct {
		const char *asked, *got, *bootargs, *kernel;
		bool ramdisk;
	} cases[] = {
		{NULL, "second", "two", "linux2.bin", true},
		{"first", "first", "one", "linux.bin", false},
		{"second", "second", "two", "linux2.bin", true},
		{"crash", "crash", "three", "linux.bin", true},
	};
	struct file file = load_fit("several");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(read_config(file, cases[i].asked, &config, &diag), LB_OK);
		assert_string_equal(config.name, cases[i].got);
		assert_string_equal(config.bootargs, cases[i].bootargs);
		assert_int_equal(config.kernel.offset, find_payload(file, cases[i].kernel));
		assert_int_equal(config.ramdisk.size, cases[i].ramdisk ? payload_size("ramdisk.bin") : 0);
	}
	assert_int_equal(read_config(file, "third", &config, &diag), LB_ENOENT);
	assert_says(&diag, "the configuration 'third' is not there");
	assert_int_equal(read_config(file, "cras", &config, &diag), LB_ENOENT);
	assert_int_equal(read_config(file, "", &config, &diag), LB_ENOENT);
	free(file.bytes);
}

static void without_a_default_the_first_configuration_is_it(void **state)
{
	struct file file = load_fit("no-default");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_string_equal(config.name, "conf");
	free(file.bytes);
}

static void a_unit_address_is_part_of_the_name(void **state)
{
	struct file file = load_fit("unit-address");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_blob(file, &config.kernel, "kernel@2", "linux2.bin");
	assert_int_equal(read_config(file, "short", &config, &diag), LB_ENOENT);
	assert_says(&diag, "no image 'kernel'");
	free(file.bytes);
}

static void what_this_build_can_not_start_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *fit;
		enum lb_err expected;
		const char *says;
	} cases[] = {
		{"raw-no-load", LB_EFORMAT, "image 'kernel' is neither a Linux Image nor an ELF"},
		{"raw-noload", LB_EUNSUPPORTED, "can not be kernel_noload"},
		{"gzip", LB_EUNSUPPORTED, "image 'kernel' has the compression 'gzip'"},
		{"gzip-ramdisk", LB_EUNSUPPORTED, "image 'ramdisk' has the compression 'gzip'"},
		{"wrong-arch", LB_EUNSUPPORTED, "image 'kernel' is for the arch 'arm64'"},
		{"wrong-type", LB_EUNSUPPORTED, "type 'flat_dt', which can not serve as a kernel"},
		{"bad-default", LB_ENOENT, "the default configuration 'con' is not there"},
		{"missing-kernel", LB_ENOENT, "there is no image 'kernel' to serve as the kernel"},
		{"missing-ramdisk", LB_ENOENT, "there is no image 'ramdisk' to serve as the ramdisk"},
		{"no-kernel", LB_ENOENT, "configuration 'conf' has no kernel"},
		{"two-ramdisks", LB_EUNSUPPORTED, "'ramdisk' of 'conf' lists several things"},
		{"loadables", LB_EUNSUPPORTED, "configuration 'conf' has 'loadables'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = load_fit(cases[i].fit);
		struct bundle_config config;
		struct diag diag;
		enum lb_err err = read_config(file, NULL, &config, &diag);

		if (err != cases[i].expected)
			print_message("%s: %s\n", cases[i].fit, diag.text);
		assert_int_equal(err, cases[i].expected);
		assert_says(&diag, cases[i].says);
		free(file.bytes);
	}
}

static void a_bundle_is_as_long_as_what_its_images_refer_to(void **state)
{
	static const struct {
		const char *fit, *last;
	} cases[] = {
		{"embedded", NULL}, /* all of the file is the tree */
		{"raw", NULL},
		{"external", "board.bin"},
		{"external-tight", "board.bin"},
		{"position", "board.bin"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = load_fit(cases[i].fit);
		size_t expected = file.size;
		uint8_t *longer = calloc(1, file.size + 5000);
		uint64_t total = 0;
		struct diag diag;

		if (cases[i].last)
			expected = find_payload(file, cases[i].last) + payload_size(cases[i].last);
		memcpy(longer, file.bytes, file.size);
		assert_int_equal(bundle_size(longer, file.size + 5000, &total, &diag), LB_OK);
		assert_int_equal(total, expected);
		assert_int_equal(bundle_size(longer, expected, &total, &diag), LB_OK);
		assert_int_equal(total, expected);
		total = 77;
		assert_int_equal(bundle_size(longer, expected - 1, &total, &diag), LB_EFORMAT);
		assert_says(&diag, "truncated, copy it again");
		assert_int_equal(total, 77);
		free(longer);
		free(file.bytes);
	}
}

static void a_bare_image_or_elf_is_described_and_nothing_else(void **state)
{
	static const struct {
		const char *payload;
		enum lb_err expected;
		enum image_kind kind;
	} cases[] = {
		{"linux.bin", LB_OK, IMAGE_LINUX},  {"elf.bin", LB_OK, IMAGE_ELF},
		{"raw.bin", LB_EFORMAT, IMAGE_RAW}, {"linux.gz", LB_EFORMAT, IMAGE_RAW},
		{"raw.itb", LB_EFORMAT, IMAGE_RAW},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = load_file(cases[i].payload);
		struct bundle_config config;
		struct diag diag = {""};
		enum lb_err err = bundle_read_bare(file.bytes, file.size, &config, &diag);

		assert_int_equal(err, cases[i].expected);
		check_diag(err, &diag);
		if (err == LB_OK) {
			check_config(&config, file.size);
			assert_int_equal(config.image.kind, cases[i].kind);
			assert_string_equal(config.name, "bare");
			assert_int_equal(config.kernel.offset, 0);
			assert_int_equal(config.kernel.size, file.size);
			assert_int_equal(config.ramdisk.size, 0);
			assert_null(config.bootargs);
			assert_false(config.in_place);
		}
		free(file.bytes);
	}
}

static void bare_data_shorter_than_any_header_is_refused(void **state)
{
	struct file file = load_file("linux.bin");

	(void)state;
	for (size_t size = 0; size < 64; size++) {
		uint8_t *cut = malloc(size ? size : 1);
		struct bundle_config config;
		struct diag diag;

		memcpy(cut, file.bytes, size);
		assert_int_equal(bundle_read_bare(cut, size, &config, &diag), LB_EFORMAT);
		assert_false(bundle_is_fit(cut, size));
		free(cut);
	}
	free(file.bytes);
}

/* ---- damage ---- */

static struct file cut(struct file file, size_t size)
{
	struct file result = {.bytes = malloc(size ? size : 1), .size = size};

	assert_non_null(result.bytes);
	memcpy(result.bytes, file.bytes, size);
	return result;
}

static void a_fit_that_is_cut_anywhere_says_so(void **state)
{
	static const struct {
		const char *fit;
		const char *last; /* what the configuration needs that lies last; NULL: the tree holds all */
	} cases[] = {
		{"embedded", NULL},
		{"external-tight", "ramdisk.bin"},
		{"position", "ramdisk.bin"},
		{"raw", NULL},
		{"elf", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = load_fit(cases[i].fit);
		size_t needed = file.size, used = file.size;

		if (cases[i].last) {
			used = find_payload(file, "board.bin") + payload_size("board.bin");
			needed = find_payload(file, cases[i].last) + payload_size(cases[i].last);
		}
		for (size_t size = 0; size < file.size; size++) {
			struct file part = cut(file, size);
			struct bundle_config config;
			struct diag diag = {""};
			enum lb_err err = read_config(part, NULL, &config, &diag);
			uint64_t total;

			assert_int_equal(err, size < needed ? LB_EFORMAT : LB_OK);
			if (size < needed)
				assert_says(&diag, size < 4 ? "not a FIT" : "truncated, copy it again");
			assert_int_equal(bundle_size(part.bytes, size, &total, &diag),
					 size < used ? LB_EFORMAT : LB_OK);
			assert_int_equal(bundle_is_fit(part.bytes, size), size >= 4);
			free(part.bytes);
		}
		free(file.bytes);
	}
}

static void a_cut_image_is_named_with_both_ends(void **state)
{
	struct file file = load_fit("external");
	size_t kernel_end = find_payload(file, "linux.bin") + payload_size("linux.bin");
	struct file part = cut(file, 0x1800);
	struct bundle_config config;
	char expected[200];
	struct diag diag;

	(void)state;
	snprintf(expected, sizeof(expected),
		 "bundle: image 'kernel' ends at 0x%zx, beyond the bundle's end at 0x1800: "
		 "the bundle is truncated, copy it again",
		 kernel_end);
	assert_int_equal(read_config(part, NULL, &config, &diag), LB_EFORMAT);
	assert_string_equal(diag.text, expected);
	free(part.bytes);
	free(file.bytes);
}

static void try_everything(struct file file)
{
	static const char *const names[] = {NULL, "conf", "first", "crash"};
	struct diag diag = {""};
	uint64_t total = 0;
	enum lb_err err;

	bundle_is_fit(file.bytes, file.size);
	err = bundle_size(file.bytes, file.size, &total, &diag);
	check_diag(err, &diag);
	if (err == LB_OK)
		assert_in_range(total, 40, file.size);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct bundle_config config;

		if (read_config(file, names[i], &config, &diag) == LB_OK && err == LB_OK)
			assert_true(config.kernel.offset + config.kernel.size <= total);
	}
}

static void flip_and_try(struct file file, size_t at, uint8_t flip)
{
	file.bytes[at] ^= flip;
	try_everything(file);
	file.bytes[at] ^= flip;
}

static const uint8_t flips[] = {0xff, 0x01, 0x80, 0x04, 0x40};

static void a_flipped_byte_in_the_tree_never_breaks_the_reader(void **state)
{
	static const char *const names[] = {"external-tight", "position", "several"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct file file = load_fit(names[i]);

		for (size_t at = 0; at < fdt_totalsize(file.bytes); at++) {
			for (size_t f = 0; f < ARRAY_SIZE(flips); f++)
				flip_and_try(file, at, flips[f]);
		}
		free(file.bytes);
	}
}

static void a_flipped_byte_anywhere_never_breaks_the_reader(void **state)
{
	static const char *const names[] = {"embedded", "elf", "raw"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct file file = load_fit(names[i]);

		for (size_t at = 0; at < file.size; at++)
			flip_and_try(file, at, flips[at % ARRAY_SIZE(flips)]);
		free(file.bytes);
	}
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void random_words_in_the_tree_never_break_the_reader(void **state)
{
	static const uint32_t odd[] = {0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0};
	uint32_t random = 20240608;
	struct file original = load_fit("external-tight");

	(void)state;
	print_message("seed %u\n", random);
	for (int round = 0; round < 5000; round++) {
		struct file file = cut(original, original.size);
		uint32_t tree = fdt_totalsize(original.bytes);

		for (uint32_t changes = 1 + next_random(&random) % 3; changes > 0; changes--) {
			fdt32_t word = cpu_to_fdt32(odd[next_random(&random) % ARRAY_SIZE(odd)]);

			memcpy(file.bytes + (next_random(&random) % (tree / 4)) * 4, &word, sizeof(word));
		}
		try_everything(file);
		free(file.bytes);
	}
	free(original.bytes);
}

static void a_bundle_at_an_odd_address_is_refused_not_read(void **state)
{
	struct file file = load_fit("raw");
	uint8_t *room = malloc(file.size + 8);

	(void)state;
	for (size_t shift = 1; shift < 8; shift++) {
		struct file moved = {.bytes = room + shift, .size = file.size};
		struct bundle_config config;
		uint64_t total;
		struct diag diag;

		memcpy(moved.bytes, file.bytes, file.size);
		assert_int_equal(read_config(moved, NULL, &config, &diag), LB_EINVAL);
		assert_int_equal(bundle_size(moved.bytes, moved.size, &total, &diag), LB_EINVAL);
		assert_true(bundle_is_fit(moved.bytes, moved.size));
	}
	free(room);
	free(file.bytes);
}

/* ---- hostile trees ---- */

#define TREE_ROOM 8192

/* One property, as it will stand in the tree. */
struct hostile_property {
	const char *name;
	const void *value; /* NULL ends a list */
	int size;
};

#define STRING(name, text)               \
	{                                \
		name, text, sizeof(text) \
	}
#define BYTES(name, text)                    \
	{                                    \
		name, text, sizeof(text) - 1 \
	}
#define CELL(name, text) BYTES(name, text)

struct builder {
	uint8_t *fdt;
};

static void ok(int result)
{
	assert_int_equal(result, 0);
}

static struct builder begin_tree(void)
{
	struct builder b = {.fdt = calloc(1, TREE_ROOM)};

	ok(fdt_create(b.fdt, TREE_ROOM));
	ok(fdt_finish_reservemap(b.fdt));
	ok(fdt_begin_node(b.fdt, ""));
	return b;
}

static void add_properties(struct builder b, const struct hostile_property *properties)
{
	for (; properties->value; properties++)
		ok(fdt_property(b.fdt, properties->name, properties->value, properties->size));
}

static void add_node(struct builder b, const char *name, const struct hostile_property *properties)
{
	ok(fdt_begin_node(b.fdt, name));
	add_properties(b, properties);
	ok(fdt_end_node(b.fdt));
}

/* End the tree, with @behind bytes of zeros behind it (and its padding), in a block of exactly that size. */
static struct file end_tree(struct builder b, size_t behind)
{
	struct file file;

	ok(fdt_end_node(b.fdt));
	ok(fdt_finish(b.fdt));
	file.size = fdt_totalsize(b.fdt);
	if (behind)
		file.size = (file.size + 3) / 4 * 4 + behind;
	file.bytes = calloc(1, file.size);
	memcpy(file.bytes, b.fdt, fdt_totalsize(b.fdt));
	free(b.fdt);
	return file;
}

#define PROPERTIES(...) ((const struct hostile_property[]){__VA_ARGS__, {NULL, NULL, 0}})
#define RAW_LOAD	CELL("load", "\x80\x40\x00\x00")

/* A tree with one configuration "c", whose kernel "k" has @properties. */
static struct file tree_of_kernel(const struct hostile_property *properties, size_t behind)
{
	struct builder b = begin_tree();

	ok(fdt_begin_node(b.fdt, "images"));
	add_node(b, "k", properties);
	ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_node(b, "c", PROPERTIES(STRING("kernel", "k")));
	ok(fdt_end_node(b.fdt));
	return end_tree(b, behind);
}

/* A tree with one good kernel "k", and one configuration "c" with @properties. */
static struct file tree_of_config(const struct hostile_property *properties)
{
	struct builder b = begin_tree();

	ok(fdt_begin_node(b.fdt, "images"));
	add_node(b, "k", PROPERTIES(STRING("type", "kernel"), BYTES("data", "payload!"), RAW_LOAD));
	ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_node(b, "c", properties);
	ok(fdt_end_node(b.fdt));
	return end_tree(b, 0);
}

static void assert_refused(struct file file, enum lb_err expected, const char *says)
{
	struct bundle_config config;
	struct diag diag;
	enum lb_err err = read_config(file, NULL, &config, &diag);

	if (err != expected)
		print_message("got: %s\n", diag.text);
	assert_int_equal(err, expected);
	if (says)
		assert_says(&diag, says);
	free(file.bytes);
}

#define KERNEL_TYPE STRING("type", "kernel")

static void a_plain_tree_from_this_builder_is_good(void **state)
{
	(void)state;
	assert_refused(tree_of_config(PROPERTIES(STRING("kernel", "k"))), LB_OK, NULL);
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, BYTES("data", "payload!"), RAW_LOAD), 0), LB_OK,
		       NULL);
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, CELL("data-offset", "\0\0\0\x10"),
						 CELL("data-size", "\0\0\0\x10"), RAW_LOAD),
				      32),
		       LB_OK, NULL);
}

static void external_data_outside_the_bundle_is_refused(void **state)
{
	static const struct {
		struct hostile_property place, size;
		enum lb_err expected;
		const char *says;
	} cases[] = {
		{CELL("data-offset", "\0\0\0\x00"), CELL("data-size", "\0\0\0\x20"), LB_OK, NULL},
		{CELL("data-offset", "\0\0\0\x1f"), CELL("data-size", "\0\0\0\x01"), LB_OK, NULL},
		{CELL("data-offset", "\0\0\0\x00"), CELL("data-size", "\0\0\0\x21"), LB_EFORMAT, "truncated"},
		{CELL("data-offset", "\0\0\0\x20"), CELL("data-size", "\0\0\0\x01"), LB_EFORMAT, "truncated"},
		{CELL("data-offset", "\0\0\0\x20"), CELL("data-size", "\0\0\0\x00"), LB_EFORMAT, "empty"},
		{CELL("data-offset", "\xff\xff\xff\xff"), CELL("data-size", "\0\0\0\x01"), LB_EFORMAT,
		 "truncated"},
		{CELL("data-offset", "\0\0\0\x08"), CELL("data-size", "\xff\xff\xff\xff"), LB_EFORMAT,
		 "truncated"},
		{CELL("data-offset", "\xff\xff\xff\xff\xff\xff\xff\xff"), CELL("data-size", "\0\0\0\x01"),
		 LB_ERANGE, "absurd"},
		{CELL("data-offset", "\0\0\0\x08"), CELL("data-size", "\xff\xff\xff\xff\xff\xff\xff\xff"),
		 LB_ERANGE, "absurd"},
		{CELL("data-position", "\xff\xff\xff\xff\xff\xff\xff\xff"), CELL("data-size", "\0\0\0\x01"),
		 LB_ERANGE, "absurd"},
		{CELL("data-position", "\0\0\0\x00"), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT, "inside"},
		{CELL("data-position", "\0\0\0\x40"), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT, "inside"},
		{CELL("data-position", "\0\xff\0\0"), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT,
		 "truncated"},
		{BYTES("data-offset", ""), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT, "cells"},
		{BYTES("data-offset", "\0\0\0"), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT, "cells"},
		{BYTES("data-offset", "\0\0\0\x08\0"), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT, "cells"},
		{CELL("data-offset", "\0\0\0\x08"), BYTES("data-size", "\0\0\0\0\0\0\0\0\0\0\0\x08"),
		 LB_EFORMAT, "cells"},
		{CELL("data-offset", "\0\0\0\x08"), CELL("size", "\0\0\0\x08"), LB_EFORMAT, "no data-size"},
		{CELL("data-offset", "\0\0\0\x08"), BYTES("data", "payload!"), LB_EFORMAT, "more than once"},
		{CELL("data-offset", "\0\0\0\x08"), CELL("data-position", "\0\0\x10\0"), LB_EFORMAT,
		 "more than once"},
		{CELL("offset", "\0\0\0\x08"), CELL("data-size", "\0\0\0\x08"), LB_ENOENT, "has no data"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("case %zu\n", i);
		assert_refused(
			tree_of_kernel(PROPERTIES(KERNEL_TYPE, RAW_LOAD, cases[i].place, cases[i].size), 32),
			cases[i].expected, cases[i].says);
	}
}

static void data_offset_counts_from_the_trees_end_rounded_up_to_a_cell(void **state)
{
	(void)state;
	for (size_t odd = 0; odd < 8; odd++) {
		struct file file =
			tree_of_kernel(PROPERTIES(KERNEL_TYPE, RAW_LOAD, CELL("data-offset", "\0\0\0\x04"),
						  CELL("data-size", "\0\0\0\x05")),
				       64);
		uint32_t tree = fdt_totalsize(file.bytes) + (uint32_t)odd;
		struct bundle_config config;
		struct diag diag;

		fdt_set_totalsize(file.bytes, tree);
		assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
		assert_int_equal(config.kernel.offset, (tree + 3) / 4 * 4 + 4);
		assert_int_equal(config.kernel.size, 5);
		free(file.bytes);
	}
}

static void a_kernel_node_with_a_bad_property_is_refused(void **state)
{
	static const struct {
		struct hostile_property property; /* besides type, load and data */
		enum lb_err expected;
		const char *says;
	} cases[] = {
		{STRING("arch", "riscv"), LB_OK, NULL},
		{STRING("arch", "riscv64"), LB_EUNSUPPORTED, "arch"},
		{STRING("arch", ""), LB_EUNSUPPORTED, "arch"},
		{BYTES("arch", ""), LB_EFORMAT, "'arch' of 'k' is not a string"},
		{BYTES("arch", "riscv"), LB_EFORMAT, "'arch' of 'k' is not a string"},
		{STRING("arch", "riscv\0arm"), LB_EUNSUPPORTED, "several"},
		{STRING("compression", "none"), LB_OK, NULL},
		{STRING("compression", "lz4"), LB_EUNSUPPORTED, "'lz4'"},
		{BYTES("compression", "none"), LB_EFORMAT, "not a string"},
		{BYTES("entry", ""), LB_EFORMAT, "'entry' of 'k' must be 1 or 2 cells, but has 0 bytes"},
		{BYTES("entry", "\0\0\0"), LB_EFORMAT, "has 3 bytes"},
		{BYTES("entry", "\0\0\0\0\0\0"), LB_EFORMAT, "has 6 bytes"},
		{BYTES("entry", "\0\0\0\0\0\0\0\0\0\0\0\0"), LB_EFORMAT, "has 12 bytes"},
		{CELL("entry", "\0\0\0\0"), LB_OK, NULL},
		{CELL("entry", "\x80\x40\x00\x06"), LB_OK, NULL},
		{CELL("entry", "\x80\x40\x00\x08"), LB_EFORMAT, "entry"},
		{CELL("entry", "\0\0\0\0\x80\x40\x00\x06"), LB_OK, NULL},
		{CELL("entry", "\0\0\0\1\x80\x40\x00\x06"), LB_EFORMAT, "entry"},
		{STRING("type", "kernel"), LB_EFORMAT, "'k' has the property 'type' twice"},
		{BYTES("data", "pay-load"), LB_EFORMAT, "'data' twice"},
		{CELL("load", "\x80\x20\0\0"), LB_EFORMAT, "'load' twice"},
		{STRING("description", "said twice"), LB_OK, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("case %zu\n", i);
		assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, RAW_LOAD, BYTES("data", "payload!"),
							 STRING("description", "once"), cases[i].property),
					      0),
			       cases[i].expected, cases[i].says);
	}
}

static void a_kernel_needs_a_type_and_bytes_and_a_load_that_fits(void **state)
{
	(void)state;
	assert_refused(tree_of_kernel(PROPERTIES(RAW_LOAD, BYTES("data", "payload!")), 0), LB_EFORMAT,
		       "image 'k' has no type");
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, RAW_LOAD), 0), LB_ENOENT,
		       "image 'k' has no data");
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, RAW_LOAD, BYTES("data", "")), 0), LB_EFORMAT,
		       "image 'k' is empty");
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, BYTES("data", "payload!")), 0), LB_EFORMAT,
		       "needs a load address");
	assert_refused(
		tree_of_kernel(PROPERTIES(KERNEL_TYPE, BYTES("data", "payload!"), CELL("load", "\0\0\0\0")),
			       0),
		LB_EFORMAT, "needs a load address");
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, BYTES("data", "payload!"),
						 CELL("load", "\xff\xff\xff\xff\xff\xff\xff\xf8")),
				      0),
		       LB_ERANGE, "past the end of memory");
}

static void a_configuration_with_a_bad_property_is_refused(void **state)
{
	static const struct {
		struct hostile_property property;
		enum lb_err expected;
		const char *says;
	} cases[] = {
		{STRING("kernel", "k"), LB_OK, NULL},
		{STRING("kernel", ""), LB_ENOENT, "no image ''"},
		{STRING("kernel", "k@1"), LB_ENOENT, "no image 'k@1'"},
		{STRING("kernel", "kk"), LB_ENOENT, "no image 'kk'"},
		{STRING("kernel", "/images/k"), LB_ENOENT, "no image"},
		{BYTES("kernel", "k"), LB_EFORMAT, "'kernel' of 'c' is not a string"},
		{BYTES("kernel", ""), LB_EFORMAT, "'kernel' of 'c' is not a string"},
		{STRING("kernel", "k\0k"), LB_EUNSUPPORTED, "'kernel' of 'c' lists several"},
		{BYTES("bootargs", "quiet"), LB_EFORMAT, "'bootargs' of 'c' is not a string"},
		{STRING("bootargs", "quiet\0loud"), LB_EUNSUPPORTED, "'bootargs' of 'c' lists several"},
		{BYTES("fdt", "board"), LB_EFORMAT, "'fdt' of 'c' is not a string"},
		{BYTES("ramdisk", "r"), LB_EFORMAT, "'ramdisk' of 'c' is not a string"},
		{STRING("firmware", "k"), LB_EUNSUPPORTED, "'firmware'"},
		{STRING("loadables", "k"), LB_EUNSUPPORTED, "'loadables'"},
		{STRING("fpga", "k"), LB_EUNSUPPORTED, "'fpga'"},
		{STRING("description", "no kernel"), LB_ENOENT, "configuration 'c' has no kernel"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("case %zu\n", i);
		assert_refused(tree_of_config(PROPERTIES(cases[i].property)), cases[i].expected,
			       cases[i].says);
	}
	assert_refused(tree_of_config(PROPERTIES(STRING("kernel", "k"), STRING("ramdisk", "k"))),
		       LB_EUNSUPPORTED, "type 'kernel', which can not serve as a ramdisk");
	assert_refused(tree_of_config(PROPERTIES(STRING("kernel", "k"), STRING("kernel", "l"))), LB_EFORMAT,
		       "twice");
}

static void a_list_of_overlays_is_named_by_its_first(void **state)
{
	struct file file = tree_of_config(PROPERTIES(STRING("kernel", "k"), STRING("fdt", "base\0overlay")));
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_string_equal(config.fdt, "base");
	free(file.bytes);
}

/* Two children with these names under /images; the configuration asks for the first. */
static struct file tree_of_two_images(const char *wanted, const char *other, bool other_first)
{
	struct builder b = begin_tree();
	struct hostile_property kernel = {"kernel", wanted, (int)strlen(wanted) + 1};

	ok(fdt_begin_node(b.fdt, "images"));
	for (int i = 0; i < 2; i++) {
		const char *name = (i == 0) == other_first ? other : wanted;

		add_node(b, name, PROPERTIES(KERNEL_TYPE, RAW_LOAD, BYTES("data", "payload!")));
	}
	ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_node(b, "c", PROPERTIES(kernel));
	ok(fdt_end_node(b.fdt));
	return end_tree(b, 0);
}

static void names_that_libfdt_would_confuse_are_refused(void **state)
{
	static const struct {
		const char *wanted, *other;
		enum lb_err expected;
	} cases[] = {
		{"k", "k", LB_EFORMAT},	 {"k", "k@1", LB_EFORMAT}, {"k@1", "k@1", LB_EFORMAT},
		{"k@1", "k", LB_OK},	 {"k@1", "k@2", LB_OK},	   {"k", "kk", LB_OK},
		{"kk", "k", LB_OK},	 {"k", "kernel@1", LB_OK}, {"k@1", "k@11", LB_OK},
		{"k@1", "k@1@1", LB_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		print_message("case %zu\n", i);
		assert_refused(tree_of_two_images(cases[i / 2].wanted, cases[i / 2].other, i % 2),
			       cases[i / 2].expected, cases[i / 2].expected ? "several nodes" : NULL);
	}
}

static void main_nodes_that_are_doubled_are_refused(void **state)
{
	static const char *const names[][3] = {
		{"images", "images", "configurations"},
		{"images", "images@1", "configurations"},
		{"configurations", "configurations", "images"},
		{"configurations@0", "configurations", "images"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct builder b = begin_tree();

		for (size_t n = 0; n < 3; n++)
			add_node(b, names[i][n], PROPERTIES(STRING("description", "empty")));
		assert_refused(end_tree(b, 0), LB_EFORMAT, "several nodes");
	}
}

static void trees_without_their_main_nodes_are_refused(void **state)
{
	struct builder b = begin_tree();
	struct file file = end_tree(b, 0);

	(void)state;
	assert_false(bundle_is_fit(file.bytes, file.size));
	assert_refused(file, LB_EFORMAT, "without /images");

	b = begin_tree();
	add_node(b, "images@1", PROPERTIES(STRING("description", "no")));
	file = end_tree(b, 0);
	assert_false(bundle_is_fit(file.bytes, file.size));
	assert_refused(file, LB_EFORMAT, "without /images");

	b = begin_tree();
	add_node(b, "images", PROPERTIES(STRING("description", "alone")));
	file = end_tree(b, 0);
	assert_true(bundle_is_fit(file.bytes, file.size));
	assert_refused(file, LB_ENOENT, "no /configurations");

	b = begin_tree();
	add_node(b, "images", PROPERTIES(STRING("description", "empty")));
	add_node(b, "configurations", PROPERTIES(STRING("description", "empty")));
	assert_refused(end_tree(b, 0), LB_ENOENT, "/configurations is empty");
}

static void nodes_below_an_image_are_not_images(void **state)
{
	struct builder b = begin_tree();

	(void)state;
	ok(fdt_begin_node(b.fdt, "images"));
	ok(fdt_begin_node(b.fdt, "outer"));
	for (int depth = 0; depth < 100; depth++)
		ok(fdt_begin_node(b.fdt, "images"));
	add_node(b, "k", PROPERTIES(KERNEL_TYPE, RAW_LOAD, BYTES("data", "payload!")));
	for (int depth = 0; depth < 102; depth++)
		ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_node(b, "c", PROPERTIES(STRING("kernel", "k")));
	ok(fdt_end_node(b.fdt));
	assert_refused(end_tree(b, 0), LB_ENOENT, "no image 'k'");
}

static void a_default_that_is_no_single_name_is_refused(void **state)
{
	static const struct {
		struct hostile_property property;
		enum lb_err expected;
	} cases[] = {
		{STRING("default", "c"), LB_OK},    {STRING("default", "c@1"), LB_ENOENT},
		{STRING("default", ""), LB_ENOENT}, {BYTES("default", "c"), LB_EFORMAT},
		{BYTES("default", ""), LB_EFORMAT}, {STRING("default", "c\0c"), LB_EUNSUPPORTED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct builder b = begin_tree();

		ok(fdt_begin_node(b.fdt, "images"));
		add_node(b, "k", PROPERTIES(KERNEL_TYPE, RAW_LOAD, BYTES("data", "payload!")));
		ok(fdt_end_node(b.fdt));
		ok(fdt_begin_node(b.fdt, "configurations"));
		add_properties(b, PROPERTIES(cases[i].property));
		add_node(b, "c", PROPERTIES(STRING("kernel", "k")));
		ok(fdt_end_node(b.fdt));
		assert_refused(end_tree(b, 0), cases[i].expected, NULL);
	}
}

static void a_bad_header_is_refused_before_the_tree_is_read(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
		const char *says;
	} cases[] = {
		{offsetof(struct fdt_header, magic), 0xd00dfeee, "not a FIT"},
		{offsetof(struct fdt_header, totalsize), 0, "header is damaged"},
		{offsetof(struct fdt_header, totalsize), 39, "header is damaged"},
		{offsetof(struct fdt_header, totalsize), 0x80000000, "header is damaged"},
		{offsetof(struct fdt_header, totalsize), 0x7fffffff, "truncated"},
		{offsetof(struct fdt_header, version), 16, "header is damaged"},
		{offsetof(struct fdt_header, version), 0, "header is damaged"},
		{offsetof(struct fdt_header, last_comp_version), 18, "header is damaged"},
		{offsetof(struct fdt_header, off_dt_struct), 0xffffffff, "header is damaged"},
		{offsetof(struct fdt_header, off_dt_struct), 0x3a, "header is damaged"},
		{offsetof(struct fdt_header, off_mem_rsvmap), 0x2c, "header is damaged"},
		{offsetof(struct fdt_header, off_dt_strings), 0xffffffff, "header is damaged"},
		{offsetof(struct fdt_header, size_dt_struct), 0xffffffff, "header is damaged"},
		{offsetof(struct fdt_header, size_dt_strings), 0xffffffff, "header is damaged"},
		{offsetof(struct fdt_header, size_dt_struct), 8, "structure is damaged"},
		{offsetof(struct fdt_header, size_dt_strings), 1, "structure is damaged"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = tree_of_config(PROPERTIES(STRING("kernel", "k")));
		fdt32_t word = cpu_to_fdt32(cases[i].value);

		print_message("case %zu\n", i);
		memcpy(file.bytes + cases[i].offset, &word, sizeof(word));
		assert_refused(file, LB_EFORMAT, cases[i].says);
	}
}

static void an_image_that_nobody_uses_may_lack_data_but_not_lie_outside(void **state)
{
	static const struct {
		struct hostile_property property;
		enum lb_err expected;
	} cases[] = {
		{STRING("description", "only"), LB_OK},
		{CELL("data-position", "\0\0\x20\0"), LB_EFORMAT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct builder b = begin_tree();
		uint64_t total = 0;
		struct diag diag;
		struct file file;

		ok(fdt_begin_node(b.fdt, "images"));
		add_node(b, "unused", PROPERTIES(cases[i].property, CELL("data-size", "\0\0\0\x08")));
		ok(fdt_end_node(b.fdt));
		file = end_tree(b, 16);
		assert_int_equal(bundle_size(file.bytes, file.size, &total, &diag), cases[i].expected);
		if (cases[i].expected == LB_OK)
			assert_int_equal(total, file.size - 16);
		free(file.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(embedded_and_external_data_are_found_where_they_lie),
		cmocka_unit_test(a_noload_kernel_may_stay_in_place_and_needs_no_ramdisk),
		cmocka_unit_test(a_raw_binary_goes_where_the_bundle_says),
		cmocka_unit_test(an_elf_needs_no_load_address),
		cmocka_unit_test(each_of_several_configurations_can_be_asked_for),
		cmocka_unit_test(without_a_default_the_first_configuration_is_it),
		cmocka_unit_test(a_unit_address_is_part_of_the_name),
		cmocka_unit_test(what_this_build_can_not_start_is_refused_with_its_reason),
		cmocka_unit_test(a_bundle_is_as_long_as_what_its_images_refer_to),
		cmocka_unit_test(a_bare_image_or_elf_is_described_and_nothing_else),
		cmocka_unit_test(bare_data_shorter_than_any_header_is_refused),
		cmocka_unit_test(a_fit_that_is_cut_anywhere_says_so),
		cmocka_unit_test(a_cut_image_is_named_with_both_ends),
		cmocka_unit_test(a_flipped_byte_in_the_tree_never_breaks_the_reader),
		cmocka_unit_test(a_flipped_byte_anywhere_never_breaks_the_reader),
		cmocka_unit_test(random_words_in_the_tree_never_break_the_reader),
		cmocka_unit_test(a_bundle_at_an_odd_address_is_refused_not_read),
		cmocka_unit_test(a_plain_tree_from_this_builder_is_good),
		cmocka_unit_test(external_data_outside_the_bundle_is_refused),
		cmocka_unit_test(data_offset_counts_from_the_trees_end_rounded_up_to_a_cell),
		cmocka_unit_test(a_kernel_node_with_a_bad_property_is_refused),
		cmocka_unit_test(a_kernel_needs_a_type_and_bytes_and_a_load_that_fits),
		cmocka_unit_test(a_configuration_with_a_bad_property_is_refused),
		cmocka_unit_test(a_list_of_overlays_is_named_by_its_first),
		cmocka_unit_test(names_that_libfdt_would_confuse_are_refused),
		cmocka_unit_test(main_nodes_that_are_doubled_are_refused),
		cmocka_unit_test(trees_without_their_main_nodes_are_refused),
		cmocka_unit_test(nodes_below_an_image_are_not_images),
		cmocka_unit_test(a_default_that_is_no_single_name_is_refused),
		cmocka_unit_test(a_bad_header_is_refused_before_the_tree_is_read),
		cmocka_unit_test(an_image_that_nobody_uses_may_lack_data_but_not_lie_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
