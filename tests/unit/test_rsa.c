// SPDX-License-Identifier: BSD-2-Clause
/*
 * kexec/check/rsa.c against signatures that openssl has made, and against messages that only a forger signs.
 */
#include "tests/unit/signed_check.h"

struct vector {
	char what[64];
	enum rsa_padding padding;
	const struct sha2_kind *hash;
	bool good;
	struct file modulus, exponent, digest, signature;
};

static struct rsa_work work;

static struct file load_part(const char *name, const char *part)
{
	char path[64];

	snprintf(path, sizeof(path), "vectors/%s", name);
	return load_signed_file(path, part);
}

static bool next_vector(FILE *list, struct vector *v)
{
	char name[16], padding[16], hash[16];
	int good;

	if (fscanf(list, "%15s %15s %15s %d %63s", name, padding, hash, &good, v->what) != 5)
		return false;
	v->padding = strcmp(padding, "pss") ? RSA_PKCS1_V15 : RSA_PSS;
	v->hash = sha2_find(hash, strlen(hash));
	assert_non_null(v->hash);
	v->good = good;
	v->modulus = load_part(name, ".modulus");
	v->exponent = load_part(name, ".exponent");
	v->digest = load_part(name, ".digest");
	v->signature = load_part(name, ".signature");
	return true;
}

static FILE *open_list(void)
{
	char path[512];
	FILE *list;

	snprintf(path, sizeof(path), "%s/vectors/list", signed_directory());
	list = fopen(path, "r");
	assert_non_null(list);
	return list;
}

static void free_vector(struct vector *v)
{
	free(v->modulus.bytes);
	free(v->exponent.bytes);
	free(v->digest.bytes);
	free(v->signature.bytes);
}

static struct rsa_key key_of(const struct vector *v)
{
	struct rsa_key key = {.modulus = v->modulus.bytes, .size = v->modulus.size};

	for (size_t i = 0; i < v->exponent.size; i++)
		key.exponent = key.exponent << 8 | v->exponent.bytes[i];
	return key;
}

static bool verify(const struct vector *v)
{
	const struct rsa_key key = key_of(v);

	assert_int_equal(v->signature.size, key.size);
	return rsa_verify(&key, v->padding, v->hash, v->digest.bytes, v->signature.bytes, &work);
}

static void openssl_and_the_stage_agree(void **state)
{
	FILE *list = open_list();
	struct vector v;
	int good = 0, bad = 0;

	(void)state;
	while (next_vector(list, &v)) {
		if (verify(&v) != v.good)
			fail_msg("%s, %s, should be %s", v.what, v.hash->name, v.good ? "good" : "bad");
		good += v.good;
		bad += !v.good;
		free_vector(&v);
	}
	fclose(list);
	assert_in_range(good, 40, 100);
	assert_in_range(bad, 40, 100);
}

static void no_flipped_byte_goes_through(void **state)
{
	FILE *list = open_list();
	struct vector v;

	(void)state;
	while (next_vector(list, &v)) {
		for (size_t at = 0; v.good && at < v.signature.size; at += 37) {
			v.signature.bytes[at] ^= (uint8_t)(1 << at % 8);
			assert_false(verify(&v));
			v.signature.bytes[at] ^= (uint8_t)(1 << at % 8);
		}
		for (size_t at = 0; v.good && at < v.digest.size; at += 3) {
			v.digest.bytes[at] ^= (uint8_t)(1 << at % 8);
			assert_false(verify(&v));
			v.digest.bytes[at] ^= (uint8_t)(1 << at % 8);
		}
		free_vector(&v);
	}
	fclose(list);
}

/* s + n is s for the arithmetic; only one of them is a signature. */
static void a_signature_above_the_modulus_is_none(void **state)
{
	FILE *list = open_list();
	struct vector v;
	int tried = 0;

	(void)state;
	while (next_vector(list, &v)) {
		unsigned carry = 0;

		for (size_t i = v.signature.size; i-- > 0;) {
			carry += (unsigned)v.signature.bytes[i] + v.modulus.bytes[i];
			v.signature.bytes[i] = (uint8_t)carry;
			carry >>= 8;
		}
		tried += !carry && v.good;
		if (!carry)
			assert_false(verify(&v));
		free_vector(&v);
	}
	fclose(list);
	print_message("%d signatures fit with the modulus added\n", tried);
}

static void what_can_not_be_a_key_verifies_nothing(void **state)
{
	FILE *list = open_list();
	struct vector v;
	struct rsa_key key;
	uint8_t *last;

	(void)state;
	assert_true(next_vector(list, &v));
	assert_true(v.good && verify(&v));
	key = key_of(&v);
	last = &v.modulus.bytes[v.modulus.size - 1];

#define REFUSED() assert_false(rsa_verify(&key, v.padding, v.hash, v.digest.bytes, v.signature.bytes, &work))
	key.exponent = 1; /* the message itself would be its signature */
	REFUSED();
	key.exponent = 0;
	REFUSED();
	key.exponent = 65536;
	REFUSED();
	key = key_of(&v);
	key.size = 0;
	REFUSED();
	key.size = 128;
	REFUSED();
	key.size = 255;
	REFUSED();
	key = key_of(&v);
	*last ^= 1; /* even */
	REFUSED();
	*last ^= 1;
	v.modulus.bytes[0] &= 0x7f;
	REFUSED();
#undef REFUSED
	free_vector(&v);
	fclose(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_and_the_stage_agree),
		cmocka_unit_test(no_flipped_byte_goes_through),
		cmocka_unit_test(a_signature_above_the_modulus_is_none),
		cmocka_unit_test(what_can_not_be_a_key_verifies_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
