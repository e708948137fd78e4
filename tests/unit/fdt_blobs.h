/* SPDX-License-Identifier: BSD-2-Clause */
/* The FDTs that make_dtbs.py has made, each at the very end of a heap block so that over-reads show. */
#ifndef LIFEBOAT_TESTS_FDT_BLOBS_H
#define LIFEBOAT_TESTS_FDT_BLOBS_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libfdt's, but for bytes too: clang warns of the alignment when it is handed them. */
#undef fdt_get_header
#define fdt_get_header(fdt, field) fdt32_ld(&((const struct fdt_header *)(const void *)(fdt))->field)

struct blob {
	char name[64];
	uint8_t *data; /* size bytes, not one more */
	size_t size;
};

static inline FILE *open_made(const char *name, const char *suffix)
{
	const char *directory = getenv("LIFEBOAT_DTBS");
	char path[512];
	FILE *file;

	if (!directory)
		fail_msg("set LIFEBOAT_DTBS to the directory that tests/unit/make_dtbs.py has filled");
	snprintf(path, sizeof(path), "%s/%s%s", directory, name, suffix);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s cannot be read: run tests/unit/make_dtbs.py", path);
	return file;
}

/* The whole of a made file, and a NUL behind it that does not count. */
static inline uint8_t *read_made(const char *name, const char *suffix, size_t *size)
{
	FILE *file = open_made(name, suffix);
	uint8_t *data = malloc(3 << 20);

	assert_non_null(data);
	*size = fread(data, 1, (3 << 20) - 1, file);
	data[*size] = '\0';
	fclose(file);
	return data;
}

/* A copy that ends where its heap block ends. Aligned to 16 bytes as every heap block is. */
static inline uint8_t *exact_copy(const void *data, size_t size)
{
	uint8_t *copy = malloc(size);

	assert_non_null(copy);
	memcpy(copy, data, size);
	return copy;
}

static inline struct blob load_blob(const char *name)
{
	struct blob blob;
	uint8_t *data = read_made(name, ".dtb", &blob.size);

	snprintf(blob.name, sizeof(blob.name), "%s", name);
	blob.data = exact_copy(data, blob.size);
	free(data);
	return blob;
}

/* Call @check with each blob that was made. */
static inline void for_each_blob(void (*check)(const struct blob *blob))
{
	size_t size;
	char *list = (char *)read_made("list", "", &size), *end;
	size_t count = 0;

	for (char *name = list; (end = strchr(name, '\n')); name = end + 1, count++) {
		struct blob blob;

		*end = '\0';
		blob = load_blob(name);
		check(&blob);
		free(blob.data);
	}
	free(list);
	assert_true(count >= 30);
}

/* xorshift64*: the same numbers everywhere. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

#endif
