// SPDX-License-Identifier: BSD-2-Clause
/* RSA signatures: the public operation, and the two paddings that FITs use. */
#include "kexec/check/rsa.h"

#include <string.h>

#define LIMB_BITS (8 * sizeof(mbedtls_mpi_uint))

/* @x = @x * @y / R mod n */
static void multiply(struct rsa_work *w, size_t limbs, mbedtls_mpi_uint *x, const mbedtls_mpi_uint *y)
{
	mbedtls_mpi_core_montmul(x, x, y, limbs, w->modulus, limbs, mbedtls_mpi_core_montmul_init(w->modulus),
				 w->scratch);
}

static bool is_below_modulus(const struct rsa_work *w, size_t limbs, const mbedtls_mpi_uint *x)
{
	return mbedtls_mpi_core_lt_ct(x, w->modulus, limbs) != MBEDTLS_CT_FALSE;
}

/*
 * @x = R * R mod n, where R = 2^bits: what brings numbers into Montgomery's form.
 *
 * n's first bit is set, so R mod n is R - n. Doubled k times it is 2^k in Montgomery's form; squared m
 * times that is 2^(k * 2^m) in that form. With k * 2^m = bits this is R in that form, R * R.
 */
static void make_r_squared(struct rsa_work *w, size_t limbs, mbedtls_mpi_uint *x)
{
	const size_t bits = limbs * LIMB_BITS;
	const size_t odd = bits >> __builtin_ctzl(bits);

	memset(x, 0, limbs * sizeof(*x));
	mbedtls_mpi_core_sub(x, x, w->modulus, limbs);
	for (size_t i = 0; i < odd; i++) {
		if (mbedtls_mpi_core_add(x, x, x, limbs) || !is_below_modulus(w, limbs, x))
			mbedtls_mpi_core_sub(x, x, w->modulus, limbs);
	}
	for (size_t i = odd; i < bits; i *= 2)
		multiply(w, limbs, x, x);
}

/* w->message = @signature ^ exponent mod modulus, in bytes. */
static bool public_operation(const struct rsa_key *key, const uint8_t *signature, struct rsa_work *w)
{
	const size_t limbs = key->size / sizeof(mbedtls_mpi_uint);

	if (key->size % 128 || key->size < 256 || key->size > RSA_BYTES_MAX || !(key->modulus[0] & 0x80) ||
	    !(key->modulus[key->size - 1] & 1) || key->exponent < 3 || !(key->exponent & 1))
		return false;
	mbedtls_mpi_core_read_be(w->modulus, limbs, key->modulus, key->size);
	mbedtls_mpi_core_read_be(w->base, limbs, signature, key->size);
	if (!is_below_modulus(w, limbs, w->base))
		return false;
	make_r_squared(w, limbs, w->power);
	multiply(w, limbs, w->base, w->power);
	memcpy(w->power, w->base, limbs * sizeof(*w->base));
	for (int bit = 62 - __builtin_clzl(key->exponent); bit >= 0; bit--) {
		multiply(w, limbs, w->power, w->power);
		if (key->exponent >> bit & 1)
			multiply(w, limbs, w->power, w->base);
	}
	memset(w->base, 0, limbs * sizeof(*w->base));
	w->base[0] = 1;
	multiply(w, limbs, w->power, w->base); /* out of Montgomery's form */
	mbedtls_mpi_core_write_be(w->power, limbs, w->message, key->size);
	return true;
}

/*
 * 00 01 ff...ff 00, the DigestInfo, the digest. All of it is compared: nothing is left that a forger could
 * choose.
 */
static bool is_pkcs1_v15(const uint8_t *message, size_t size, const struct sha2_kind *hash,
			 const uint8_t *digest)
{
	uint8_t info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
			  0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
	const size_t fill = size - 3 - sizeof(info) - hash->size;

	info[1] = (uint8_t)(sizeof(info) - 2 + hash->size);
	info[14] = hash->oid;
	info[18] = (uint8_t)hash->size;
	if (message[0] != 0 || message[1] != 1)
		return false;
	for (size_t i = 0; i < fill; i++) {
		if (message[2 + i] != 0xff)
			return false;
	}
	message += 2 + fill;
	return message[0] == 0 && !memcmp(message + 1, info, sizeof(info)) &&
	       !memcmp(message + 1 + sizeof(info), digest, hash->size);
}

/* RFC 8017 B.2.1: xor @size bytes at @data with what MGF1 makes of @seed. */
static void unmask(uint8_t *data, size_t size, const struct sha2_kind *hash, const uint8_t *seed)
{
	uint8_t block[SHA2_SIZE_MAX];
	uint8_t counter[4] = {0};
	struct sha2 sha2;

	for (size_t i = 0; i < size; i++) {
		if (i % hash->size == 0) {
			sha2_begin(&sha2, hash);
			sha2_add(&sha2, seed, hash->size);
			sha2_add(&sha2, counter, sizeof(counter));
			sha2_end(&sha2, block);
			counter[3]++; /* at most 16 blocks */
		}
		data[i] ^= block[i % hash->size];
	}
}

/* RFC 8017 9.1.2. The message is masked(00...00 01 salt), hash(00 * 8, digest, salt), bc. */
static bool is_pss(uint8_t *message, size_t size, const struct sha2_kind *hash, const uint8_t *digest)
{
	static const uint8_t zeros[8];
	const size_t masked = size - hash->size - 1;
	const uint8_t *wanted = message + masked;
	uint8_t found[SHA2_SIZE_MAX];
	struct sha2 sha2;
	size_t salt = 0;

	if (message[size - 1] != 0xbc || message[0] & 0x80)
		return false;
	unmask(message, masked, hash, wanted);
	message[0] &= 0x7f;
	while (salt < masked && message[salt] == 0)
		salt++;
	if (salt == masked || message[salt++] != 1)
		return false;
	sha2_begin(&sha2, hash);
	sha2_add(&sha2, zeros, sizeof(zeros));
	sha2_add(&sha2, digest, hash->size);
	sha2_add(&sha2, message + salt, masked - salt);
	sha2_end(&sha2, found);
	return !memcmp(found, wanted, hash->size);
}

bool rsa_verify(const struct rsa_key *key, enum rsa_padding padding, const struct sha2_kind *hash,
		const uint8_t *digest, const uint8_t *signature, struct rsa_work *work)
{
	if (!public_operation(key, signature, work))
		return false;
	if (padding == RSA_PSS)
		return is_pss(work->message, key->size, hash, digest);
	return is_pkcs1_v15(work->message, key->size, hash, digest);
}
