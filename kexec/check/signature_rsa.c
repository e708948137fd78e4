// SPDX-License-Identifier: BSD-2-Clause
/* RSA signatures of FITs. */
#include "kexec/check/signature.h"

static bool verify_rsa(const struct signature *signature, const struct key *key, const uint8_t *digest,
		       struct rsa_work *work)
{
	const struct rsa_key rsa = {key->modulus.data, key->modulus.size, key->exponent};

	return rsa.size == signature->scheme->size &&
	       rsa_verify(&rsa, signature->padding, signature->hash, digest, signature->value, work);
}

const struct signature_scheme signature_rsa2048 = {"rsa2048", 256, verify_rsa};
const struct signature_scheme signature_rsa3072 = {"rsa3072", 384, verify_rsa};
const struct signature_scheme signature_rsa4096 = {"rsa4096", 512, verify_rsa};
