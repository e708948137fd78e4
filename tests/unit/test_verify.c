// SPDX-License-Identifier: BSD-2-Clause
/* Hashes that mkimage wrote, and moves that hash on the way; EFI zboot headers, good and bad. */
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include "base/crc32.h"
#include "tests/unit/bundle_check.h"

static enum lb_err verify_whole(struct file file, const struct bundle_blob *blob, size_t step,
				struct diag *diag)
{
	static struct verify verify;

	verify_begin(&verify, &blob->hashes, NULL, 0);
	for (size_t at = 0; at < blob->size; at += step)
		verify_add(&verify, file.bytes + blob->offset + at,
			   blob->size - at < step ? blob->size - at : step);
	return verify_end(&verify, blob->node, diag);
}

static void each_of_mkimages_hashes_is_checked(void **state)
{
	struct file file = load_fit("hashes");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_int_equal(config.kernel.hashes.count, 3);
	assert_int_equal(verify_whole(file, &config.kernel, 1000, &diag), LB_OK);
	assert_int_equal(verify_whole(file, &config.kernel, 7, &diag), LB_OK);
	for (size_t i = 0; i < 3; i++) {
		uint8_t *value = file.bytes + (config.kernel.hashes.hash[i].value - file.bytes);

		value[3] ^= 1;
		assert_int_equal(verify_whole(file, &config.kernel, 1000, &diag), LB_EFORMAT);
		assert_says(&diag, config.kernel.hashes.hash[i].algo->name);
		assert_says(&diag, "of image 'kernel' does not match");
		value[3] ^= 1;
	}
	for (size_t at = 0; at < config.kernel.size; at += 97) {
		file.bytes[config.kernel.offset + at] ^= 0x10;
		assert_int_equal(verify_whole(file, &config.kernel, 1000, &diag), LB_EFORMAT);
		file.bytes[config.kernel.offset + at] ^= 0x10;
	}
	free(file.bytes);
}

static void what_has_no_hash_is_as_it_is_and_an_unknown_hash_is_refused(void **state)
{
	struct file file = load_fit("no-hash");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_int_equal(config.kernel.hashes.count, 0);
	assert_int_equal(verify_whole(file, &config.kernel, 1000, &diag), LB_OK);
	free(file.bytes);
	file = load_fit("md5");
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_EUNSUPPORTED);
	assert_says(&diag, "'kernel' has a hash 'md5'");
	free(file.bytes);
}

/* Every distance between source and destination, overlaps in both directions included. */
static void a_move_is_a_memmove_and_a_hash_of_the_source(void **state)
{
	enum { SIZE = 70000, SPAN = 3 * SIZE };
	static const int shifts[] = {-SIZE, -SIZE + 1, -20000, -16384,	 -1,  0,
				     1,	    16384,     20000,  SIZE - 1, SIZE};
	struct file large = load_file("large");
	static struct verify verify;
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shifts); i++) {
		struct image_hashes hashes = {.count = 1};
		uint8_t digest[SHA2_SIZE_MAX], *area = malloc(SPAN);
		union hash_state alone;

		assert_non_null(area);
		hash_sha256.begin(&alone, &hash_sha256);
		hash_sha256.add(&alone, NULL, large.bytes, SIZE);
		hash_sha256.end(&alone, digest);
		hashes.hash[0].algo = &hash_sha256;
		hashes.hash[0].value = digest;
		memcpy(area + SIZE, large.bytes, SIZE);
		verify_begin(&verify, &hashes, NULL, 0);
		verify_move(&verify, area + SIZE + shifts[i], area + SIZE, SIZE);
		assert_int_equal(verify_end(&verify, "x", &diag), LB_OK);
		assert_memory_equal(area + SIZE + shifts[i], large.bytes, SIZE);
		free(area);
	}
	free(large.bytes);
}

/* Stand for a hart's own instructions; they count what they were given. */
static size_t blocks_done;

static void sha256_by_the_block(void *state, const uint8_t *data, size_t count)
{
	mbedtls_sha256_context one;

	assert_int_equal((uintptr_t)data % 8, 0);
	mbedtls_sha256_init(&one);
	memcpy(one.MBEDTLS_PRIVATE(state), state, sizeof(one.MBEDTLS_PRIVATE(state)));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(mbedtls_internal_sha256_process(&one, data + i * 64), 0);
	memcpy(state, one.MBEDTLS_PRIVATE(state), sizeof(one.MBEDTLS_PRIVATE(state)));
	blocks_done += count;
}

static void sha512_by_the_block(void *state, const uint8_t *data, size_t count)
{
	mbedtls_sha512_context one;

	assert_int_equal((uintptr_t)data % 8, 0);
	mbedtls_sha512_init(&one);
	memcpy(one.MBEDTLS_PRIVATE(state), state, sizeof(one.MBEDTLS_PRIVATE(state)));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(mbedtls_internal_sha512_process(&one, data + i * 128), 0);
	memcpy(state, one.MBEDTLS_PRIVATE(state), sizeof(one.MBEDTLS_PRIVATE(state)));
	blocks_done += count;
}

static void crc32_by_the_word(void *state, const uint8_t *data, size_t count)
{
	uint32_t *crc = state;

	assert_int_equal((uintptr_t)data % 8, 0);
	*crc = ~crc32_update(~*crc, data, count * 8);
	blocks_done += count;
}

enum { NEEDED = 4 };
static const struct hash_way fast_ways[] = {
	{"sha256", "A", NEEDED, sha256_by_the_block},
	{"sha512", "B", NEEDED, sha512_by_the_block},
	{"crc32", "C", NEEDED, crc32_by_the_word},
	{NULL, NULL, 0, NULL},
};

/* The digest of @size bytes at @data, in steps of any size and alignment. */
static void check_in_steps(const struct hash_algo *algo, uint8_t *digest, const uint8_t *data, size_t size,
			   uint32_t isa)
{
	struct image_hashes hashes = {.count = 1, .hash[0] = {algo, digest}};
	static uint64_t seed = 5;
	static struct verify verify;
	struct diag diag;

	verify_begin(&verify, &hashes, fast_ways, isa);
	for (size_t at = 0, step; at < size; at += step) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		step = seed >> 33 & 255;
		step = step < size - at ? step : size - at;
		verify_add(&verify, data + at, step);
	}
	assert_int_equal(verify_end(&verify, "x", &diag), LB_OK);
}

/* By mbedTLS, or bit by bit. */
static void make_digest(const struct hash_algo *algo, uint8_t *digest, const uint8_t *data, size_t size)
{
	const struct sha2_kind *kind = sha2_find(algo->name, strlen(algo->name));
	uint32_t crc = UINT32_MAX;

	if (kind) {
		if (kind->is_sha512)
			assert_int_equal(mbedtls_sha512(data, size, digest, 0), 0);
		else
			assert_int_equal(mbedtls_sha256(data, size, digest, 0), 0);
		return;
	}
	for (size_t bit = 0; bit < 8 * size; bit++) {
		crc ^= data[bit / 8] >> bit % 8 & 1;
		crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	for (int i = 0; i < 4; i++)
		digest[i] = (uint8_t)(~crc >> (24 - 8 * i));
}

static void every_hash_is_the_same_in_every_way_from_every_place(void **state)
{
	static const struct hash_algo *const algos[] = {&hash_crc32, &hash_sha256, &hash_sha512};
	static uint8_t room[700 + 8];

	(void)state;
	for (size_t i = 0; i < sizeof(room); i++)
		room[i] = (uint8_t)(i * 37 ^ i >> 3);
	for (size_t i = 0; i < ARRAY_SIZE(algos); i++) {
		size_t sum = 0;

		for (size_t size = 0; size <= 700; size++) {
			const uint8_t *data = room + size % 8;
			uint8_t digest[SHA2_SIZE_MAX];

			make_digest(algos[i], digest, data, size);
			blocks_done = 0;
			check_in_steps(algos[i], digest, data, size, NEEDED - 1);
			assert_int_equal(blocks_done, 0);
			check_in_steps(algos[i], digest, data, size, NEEDED | 1);
			sum += blocks_done;
		}
		assert_true(sum > 100);
	}
}

static void the_log_can_tell_in_which_way(void **state)
{
	struct image_hashes hashes = {.count = 2, .hash = {{&hash_crc32, NULL}, {&hash_sha256, NULL}}};
	static struct verify verify;
	char text[48];

	(void)state;
	verify_begin(&verify, &hashes, fast_ways, NEEDED);
	verify_describe(&verify, text, sizeof(text));
	assert_string_equal(text, "crc32 (C), sha256 (A)");
	verify_describe(&verify, text, 10);
	assert_string_equal(text, "crc32 (C)");
	verify_begin(&verify, &hashes, fast_ways, NEEDED - 1);
	verify_describe(&verify, text, sizeof(text));
	assert_string_equal(text, "crc32, sha256");
	hashes.count = 0;
	verify_describe(&verify, text, sizeof(text));
	assert_string_equal(text, "");
}

static struct file make_zboot(uint32_t offset, uint32_t size, const char *name, size_t total)
{
	struct file file = {.bytes = calloc(1, total), .size = total};

	assert_non_null(file.bytes);
	memcpy(file.bytes, "MZ\0\0zimg", 8);
	memcpy(file.bytes + 8, &offset, 4);
	memcpy(file.bytes + 12, &size, 4);
	memcpy(file.bytes + 0x18, name, strlen(name));
	return file;
}

static void a_zboot_header_tells_where_the_packed_image_is(void **state)
{
	static const struct {
		uint32_t offset, size;
		const char *name;
		const struct decompressor *by; /* NULL: refused */
		const char *says;
	} cases[] = {
		{0x40, 0xc0, "gzip", &decompress_gzip, NULL},
		{0x50, 0xb0, "zstd", &decompress_zstd, NULL},
		{0x50, 1, "zstd22", &decompress_zstd, NULL},
		{0x50, 1, "lz4", &decompress_lz4, NULL},
		{0x50, 1, "xzkern", NULL, "is packed with 'xzkern'"},
		{0x50, 1, "0123456789012345678901234567890123456789", NULL, "is packed with"},
		{0x50, 0xb1, "gzip", NULL, "it is truncated"},
		{0x101, 1, "gzip", NULL, "it is truncated"},
		{0xffffffff, 0xffffffff, "gzip", NULL, "it is truncated"},
		{0x3f, 1, "gzip", NULL, "it is truncated"},
		{0x50, 0, "gzip", NULL, "it is truncated"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = make_zboot(cases[i].offset, cases[i].size, cases[i].name, 0x100);
		struct image_packed packed = {.by = NULL};
		struct diag diag = {.text = ""};
		enum lb_err err = image_read_zboot(file.bytes, file.size, &packed, &diag);

		assert_true(image_is_zboot(file.bytes, file.size));
		assert_false(image_is_zboot(file.bytes, 0x3f));
		if (cases[i].by) {
			assert_int_equal(err, LB_OK);
			assert_ptr_equal(packed.by, cases[i].by);
			assert_int_equal(packed.offset, cases[i].offset);
			assert_int_equal(packed.size, cases[i].size);
		} else {
			check_diag(err, &diag);
			assert_int_not_equal(err, LB_OK);
			assert_says(&diag, cases[i].says);
		}
		free(file.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_of_mkimages_hashes_is_checked),
		cmocka_unit_test(what_has_no_hash_is_as_it_is_and_an_unknown_hash_is_refused),
		cmocka_unit_test(a_move_is_a_memmove_and_a_hash_of_the_source),
		cmocka_unit_test(every_hash_is_the_same_in_every_way_from_every_place),
		cmocka_unit_test(the_log_can_tell_in_which_way),
		cmocka_unit_test(a_zboot_header_tells_where_the_packed_image_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
