// SPDX-License-Identifier: BSD-2-Clause
/* Keys in a control FDT, and in the machine's own, which was checked before: the same is read from both. */
#include "tests/unit/fdt_lines.h"

#include "fdt/fit/keyring.h"

#define RSA   "/signature/a key-name-hint =dev\n/signature/a rsa,modulus 1 2\n"
#define POINT "ecdsa,x-point 1 2\n/signature/a ecdsa,y-point 3 4\n"

static struct diag diag;

/* Open a control FDT in either way; the tree lives as long as @fdt. */
static enum lb_err open(void *fdt, bool checked, struct keyring *ring)
{
	memset(ring, 0xa5, sizeof(*ring));
	return (checked ? keyring_open_checked : keyring_open)(fdt, fdt_totalsize(fdt), ring, &diag);
}

/* Open it, and read all of its keys: the first error, and how many were read. */
static enum lb_err read_all(const char *lines, bool checked, struct key *last, size_t *count)
{
	void *fdt = tree_make(lines);
	struct keyring ring;
	enum lb_err err = open(fdt, checked, &ring);

	*count = 0;
	for (int node = err ? -1 : keyring_first(&ring); !err && node >= 0;
	     node = keyring_next(&ring, node)) {
		err = keyring_read(&ring, node, last, &diag);
		*count += !err;
	}
	free(fdt);
	return err;
}

static void both_ways_find_the_same_keys(void **state)
{
	void *fdt = tree_make("/memory device_type =memory\n/signature required-mode =any\n" RSA
			      "/signature/a required =conf\n/signature/a algo =sha256,rsa2048\n"
			      "/signature/a lifeboat,min-version 7\n/signature/a rsa,num-bits 64\n"
			      "/signature/a rsa,exponent 0 3\n/signature/b required =image\n"
			      "/signature/b ecdsa,curve =prime256v1\n/signature/b " POINT
			      "/signature/b ecdsa,y-point 5\n/images/kernel x\n");

	(void)state;
	for (int checked = 0; checked < 2; checked++) {
		struct keyring ring;
		struct key key;
		int node;

		assert_int_equal(open(fdt, checked, &ring), LB_OK);
		assert_true(ring.any_will_do);
		for (node = keyring_first(&ring); node >= 0; node = keyring_next(&ring, node)) {
			assert_int_equal(keyring_read(&ring, node, &key, &diag), LB_OK);
			if (strcmp(key.name, "dev") == 0) {
				assert_int_equal(key.required, KEY_REQUIRED_CONF);
				assert_string_equal(key.algo, "sha256,rsa2048");
				assert_int_equal(key.min_version, 7);
				assert_int_equal(key.modulus.size, 8);
				assert_int_equal(key.exponent, 3);
			} else {
				assert_string_equal(key.name, "b");
				assert_int_equal(key.required, KEY_REQUIRED_IMAGE);
				assert_null(key.algo);
				assert_int_equal(key.x.size, 8);
				assert_int_equal(key.y.size, 4);
				assert_null(key.modulus.data);
			}
		}
	}
	free(fdt);
}

static void what_makes_no_sense_is_refused_in_both_ways(void **state)
{
	static const struct {
		const char *lines;
		enum lb_err err;
		size_t read;
		const char *said;
	} rows[] = {
		{"/images x\n", LB_ENOENT, 0, "keys: no /signature in the control FDT"},
		{"/signature x\n", LB_OK, 0, NULL},
		{RSA, LB_OK, 1, NULL},
		{"/signature required-mode =all\n" RSA, LB_OK, 1, NULL},
		{"/signature required-mode =some\n" RSA, LB_EFORMAT, 0,
		 "keys: required-mode is neither \"all\" nor \"any\""},
		{"/signature required-mode =all =any\n" RSA, LB_EFORMAT, 0,
		 "keys: 'required-mode' of 'signature' is more than one string"},
		{"/signature required-mode 0x616c6c61\n" RSA, LB_EFORMAT, 0, NULL},
		{RSA "/signature/a required =config\n", LB_EFORMAT, 0,
		 "keys: 'a' is required for 'config': it can be \"conf\" or \"image\""},
		{RSA "/signature/a required =conf =image\n", LB_EFORMAT, 0,
		 "keys: 'required' of 'a' is more than one string"},
		{RSA "/signature/a key-name-hint =a =b\n", LB_EFORMAT, 0, NULL},
		{RSA "/signature/a algo 1\n", LB_EFORMAT, 0, NULL},
		{RSA "/signature/a lifeboat,min-version 1 2 3\n", LB_EFORMAT, 0, NULL},
		{RSA "/signature/a rsa,exponent 1 2 3\n", LB_EFORMAT, 0, NULL},
		{RSA "/signature/a rsa,num-bits 1 2 3\n", LB_EFORMAT, 0, NULL},
		{RSA "/signature/a rsa,num-bits 63\n", LB_EFORMAT, 0,
		 "keys: 'a' has a modulus of 8 bytes for 63 bits"},
		{"/signature/a ecdsa,curve =secp384r1\n/signature/a " POINT, LB_EUNSUPPORTED, 0,
		 "keys: 'a' is on the curve 'secp384r1', lifeboat knows prime256v1"},
		{"/signature/a ecdsa,curve =prime256v1 =x\n/signature/a " POINT, LB_EFORMAT, 0, NULL},
		{"/signature/a ecdsa,curve =prime256v1\n", LB_EFORMAT, 0,
		 "keys: 'a' is no RSA and no ECDSA key"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		size_t count;
		struct key key;

		assert_int_equal(read_all(rows[i / 2].lines, i % 2, &key, &count), rows[i / 2].err);
		assert_int_equal(count, rows[i / 2].read);
		if (rows[i / 2].said)
			assert_string_equal(diag.text, rows[i / 2].said);
	}
}

static void only_what_was_checked_is_spared_the_check(void **state)
{
	void *fdt = tree_make(RSA);
	struct keyring ring;

	(void)state;
	assert_int_equal(keyring_open(fdt, 39, &ring, &diag), LB_EFORMAT);
	assert_int_equal(keyring_open(fdt, fdt_totalsize(fdt) - 1, &ring, &diag), LB_EFORMAT);
	fdt_set_magic(fdt, 0);
	assert_int_equal(open(fdt, false, &ring), LB_EFORMAT);
	free(fdt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_find_the_same_keys),
		cmocka_unit_test(what_makes_no_sense_is_refused_in_both_ways),
		cmocka_unit_test(only_what_was_checked_is_spared_the_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
