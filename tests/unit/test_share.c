// SPDX-License-Identifier: BSD-2-Clause
/* A hash as another hart's share: whoever is first, it is mbedTLS's, and nobody waits for the other. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include "kexec/check/share.h"

enum { SIZE = 100000, STEP = 16384 };

static _Alignas(8) uint8_t image[SIZE];
static uint8_t digest[SHA2_SIZE_MAX];
static struct image_hashes hashes;
static struct verify verify;
static struct share share;
static size_t calls, calls_until_unwanted;

/* Stand for a hart's own way: the portable one, that counts, and calls the share off in the middle. */
static void counted(const struct sha2_kind *kind, void *state, const uint8_t *data, size_t count)
{
	calls++;
	assert_true(count * 2 * kind->size <= STEP);
	kind->portable(state, data, count);
	if (calls_until_unwanted && calls == calls_until_unwanted)
		share_call_off(&share);
}

static void counted256(void *state, const uint8_t *data, size_t count)
{
	counted(sha2_find("sha256", 6), state, data, count);
}

static void counted512(void *state, const uint8_t *data, size_t count)
{
	counted(sha2_find("sha512", 6), state, data, count);
}

static const struct hash_way ways[] = {
	{"sha256", "A", 1, counted256},
	{"sha512", "B", 1, counted512},
	{NULL, NULL, 0, NULL},
};

/* An image of @size bytes, its digest by mbedTLS, and the share of it. */
static void give(const struct hash_algo *algo, size_t size, uint32_t isa)
{
	for (size_t i = 0; i < size; i++)
		image[i] = (uint8_t)(i * 37 ^ i >> 3 ^ size);
	if (algo == &hash_sha512)
		assert_int_equal(mbedtls_sha512(image, size, digest, 0), 0);
	else
		assert_int_equal(mbedtls_sha256(image, size, digest, 0), 0);
	hashes = (struct image_hashes){.count = 1, .hash[0] = {algo, digest}};
	assert_true(share_can(&hashes, image));
	verify_begin(&verify, &hashes, ways, isa);
	share_make(&share, &verify, size);
	share.data = image;
	calls = calls_until_unwanted = 0;
}

/* Take it. Return: had the other one done it? */
static bool take(size_t size, enum lb_err wanted)
{
	struct diag diag;
	bool by_other;

	verify_begin(&verify, &hashes, ways, 0);
	by_other = share_take(&share, &verify, image, size);
	assert_int_equal(verify_end(&verify, "x", &diag), wanted);
	return by_other;
}

static void what_the_other_has_done_is_taken_at_every_size(void **state)
{
	static const struct hash_algo *const algos[] = {&hash_sha256, &hash_sha512};

	(void)state;
	for (size_t i = 0; i < 2 * 600; i++) {
		const size_t size = 1 + i / 2 + (i % 3) * STEP;

		give(algos[i % 2], size, i / 2 % 2);
		share_run(&share);
		assert_true(share.done);
		share.data = NULL; /* nothing is left to read */
		assert_true(take(size, LB_OK));
	}
}

static void the_blocks_of_the_harts_way_are_used(void **state)
{
	(void)state;
	give(&hash_sha512, SIZE, 1);
	share_run(&share);
	assert_int_equal(calls, SIZE / STEP + 1);
	give(&hash_sha512, SIZE, 0);
	share_run(&share);
	assert_int_equal(calls, 0);
}

static void who_never_comes_costs_only_his_share(void **state)
{
	(void)state;
	give(&hash_sha256, SIZE, 1);
	assert_false(take(SIZE, LB_OK));
	give(&hash_sha256, SIZE, 1);
	verify_begin(&verify, &hashes, ways, 1);
	assert_false(share_take(NULL, &verify, image, STEP)); /* in one go, if it is nobody else's */
	assert_int_equal(calls, 1);
}

static void what_is_not_wanted_is_left_at_the_next_step(void **state)
{
	(void)state;
	give(&hash_sha256, SIZE, 1);
	calls_until_unwanted = 2;
	share_run(&share);
	assert_int_equal(calls, 2);
	assert_false(share.done);
	assert_int_equal(share.left, SIZE / 64 - 2 * STEP / 64);
	assert_false(take(SIZE, LB_OK));
	share_run(&share); /* who comes late leaves at once */
	assert_int_equal(calls, 2);
}

static void a_changed_byte_is_found_whoever_reads_it(void **state)
{
	static const size_t places[] = {0, STEP, SIZE - 40, SIZE - 1};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(places); i++) {
		give(&hash_sha512, SIZE, 0);
		image[places[i / 2]] ^= 1;
		if (i % 2)
			share_run(&share);
		assert_int_equal(take(SIZE, LB_EFORMAT), i % 2);
	}
}

static void *run(void *context)
{
	share_run(context);
	return NULL;
}

static void both_at_once_agree(void **state)
{
	size_t by_other = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		pthread_t other;

		give(&hash_sha256, SIZE, 0);
		assert_int_equal(pthread_create(&other, NULL, run, &share), 0);
		by_other += take(SIZE, LB_OK);
		share_call_off(&share);
		assert_int_equal(pthread_join(other, NULL), 0);
	}
	print_message("%zu of 200 were done by the other one\n", by_other);
}

static void only_one_sha2_of_aligned_bytes_can_be_shared(void **state)
{
	struct image_hashes some = {.count = 1, .hash = {{&hash_sha256, digest}, {&hash_sha512, digest}}};

	(void)state;
	assert_true(share_can(&some, image));
	assert_false(share_can(&some, image + 4));
	some.count = 2;
	assert_false(share_can(&some, image));
	some.count = 0;
	assert_false(share_can(&some, image));
	some = (struct image_hashes){.count = 1, .hash[0] = {&hash_crc32, digest}};
	assert_false(share_can(&some, image));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_other_has_done_is_taken_at_every_size),
		cmocka_unit_test(the_blocks_of_the_harts_way_are_used),
		cmocka_unit_test(who_never_comes_costs_only_his_share),
		cmocka_unit_test(what_is_not_wanted_is_left_at_the_next_step),
		cmocka_unit_test(a_changed_byte_is_found_whoever_reads_it),
		cmocka_unit_test(both_at_once_agree),
		cmocka_unit_test(only_one_sha2_of_aligned_bytes_can_be_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
