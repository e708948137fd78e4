/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checking RSA signatures: PKCS#1 v1.5 and PSS as in RFC 8017, on the core of mbedTLS's bignums.
 *
 * Everything here is public, so nothing needs to take the same time for all numbers.
 */
#ifndef LIFEBOAT_KEXEC_CHECK_RSA_H
#define LIFEBOAT_KEXEC_CHECK_RSA_H

#include <bignum_core.h>

#include "kexec/check/sha2.h"

#define RSA_BYTES_MAX 512
#define RSA_LIMBS_MAX (RSA_BYTES_MAX / sizeof(mbedtls_mpi_uint))

enum rsa_padding {
	RSA_PKCS1_V15,
	RSA_PSS,
};

struct rsa_key {
	const uint8_t
		*modulus; /* big-endian, @size bytes: 2048, 3072 or 4096 bits of which the first is set */
	size_t size;
	uint64_t exponent;
};

/** Room for the arithmetic; no contents between calls. */
struct rsa_work {
	mbedtls_mpi_uint modulus[RSA_LIMBS_MAX];
	mbedtls_mpi_uint base[RSA_LIMBS_MAX];
	mbedtls_mpi_uint power[RSA_LIMBS_MAX];
	mbedtls_mpi_uint scratch[2 * RSA_LIMBS_MAX + 1];
	uint8_t message[RSA_BYTES_MAX];
};

/**
 * Is @signature, of key->size bytes, one of @digest by @key?
 *
 * @hash  of @digest, and in PSS of everything else; PSS takes any length of salt, as U-Boot does
 * Return: false, too, for a key that can't be one (size, parity).
 */
bool rsa_verify(const struct rsa_key *key, enum rsa_padding padding, const struct sha2_kind *hash,
		const uint8_t *digest, const uint8_t *signature, struct rsa_work *work);

#endif
