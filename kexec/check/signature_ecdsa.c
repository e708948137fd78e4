// SPDX-License-Identifier: BSD-2-Clause
/* ECDSA signatures of FITs, on P-256: r and s, 32 bytes each, as p256-m wants them. */
#include <p256-m/p256-m.h>
#include <string.h>

#include "kexec/check/signature.h"

#define POINT_BYTES 32

static bool verify_ecdsa(const struct signature *signature, const struct key *key, const uint8_t *digest,
			 struct rsa_work *work)
{
	uint8_t point[2 * POINT_BYTES];

	(void)work;
	if (key->x.size != POINT_BYTES || key->y.size != POINT_BYTES)
		return false;
	memcpy(point, key->x.data, POINT_BYTES);
	memcpy(point + POINT_BYTES, key->y.data, POINT_BYTES);
	return p256_ecdsa_verify(signature->value, point, digest, signature->hash->size) == P256_SUCCESS;
}

const struct signature_scheme signature_ecdsa256 = {"ecdsa256", 2 * POINT_BYTES, verify_ecdsa};
