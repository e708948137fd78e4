// SPDX-License-Identifier: BSD-2-Clause
/* Hashes that mkimage wrote, and moves that hash on the way; EFI zboot headers, good and bad. */
#include "tests/unit/bundle_check.h"

static enum lb_err verify_whole(struct file file, const struct bundle_blob *blob, size_t step,
				struct diag *diag)
{
	static struct verify verify;

	verify_begin(&verify, &blob->hashes);
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
		hash_sha256.add(&alone, large.bytes, SIZE);
		hash_sha256.end(&alone, digest);
		hashes.hash[0].algo = &hash_sha256;
		hashes.hash[0].value = digest;
		memcpy(area + SIZE, large.bytes, SIZE);
		verify_begin(&verify, &hashes);
		verify_move(&verify, area + SIZE + shifts[i], area + SIZE, SIZE);
		assert_int_equal(verify_end(&verify, "x", &diag), LB_OK);
		assert_memory_equal(area + SIZE + shifts[i], large.bytes, SIZE);
		free(area);
	}
	free(large.bytes);
}

/* Stands for a hart's own instructions; counts what it was given. */
static size_t blocks_done;

static void by_the_block(uint32_t *state, const uint8_t *data, size_t count)
{
	mbedtls_sha256_context one;

	mbedtls_sha256_init(&one);
	memcpy(one.MBEDTLS_PRIVATE(state), state, sizeof(one.MBEDTLS_PRIVATE(state)));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(mbedtls_internal_sha256_process(&one, data + i * SHA256_BLOCK), 0);
	memcpy(state, one.MBEDTLS_PRIVATE(state), sizeof(one.MBEDTLS_PRIVATE(state)));
	blocks_done += count;
}

static void whole_blocks_of_sha256_can_be_another_ones_business(void **state)
{
	static struct verify verify;
	static uint8_t data[700];
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37 ^ i >> 3);
	for (size_t size = 0; size <= sizeof(data); size++) {
		uint8_t digest[SHA2_SIZE_MAX];
		struct image_hashes hashes = {.count = 1, .hash[0] = {&hash_sha256, digest}};
		union hash_state alone;
		struct diag diag;

		hash_sha256.begin(&alone, &hash_sha256);
		hash_sha256.add(&alone, data, size);
		hash_sha256.end(&alone, digest);
		verify_begin(&verify, &hashes);
		verify_accelerate(&verify, by_the_block);
		for (size_t at = 0, step; at < size; at += step) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			step = seed >> 33 & 255;
			step = step < size - at ? step : size - at;
			verify_add(&verify, data + at, step);
		}
		assert_int_equal(verify_end(&verify, "x", &diag), LB_OK);
	}
	assert_true(blocks_done > 1000);
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
		cmocka_unit_test(whole_blocks_of_sha256_can_be_another_ones_business),
		cmocka_unit_test(a_zboot_header_tells_where_the_packed_image_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
