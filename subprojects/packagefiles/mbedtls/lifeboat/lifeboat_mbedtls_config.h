/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mbedTLS's configuration as lifeboat builds it: SHA-2, and the arithmetic of RSA and ECDSA verification.
 *
 * No heap, no entropy, no files, no time. What nobody calls, the linker leaves out.
 */
#ifndef LIFEBOAT_MBEDTLS_CONFIG_H
#define LIFEBOAT_MBEDTLS_CONFIG_H

#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER
#define MBEDTLS_BIGNUM_C

/* There is no libgcc, so no division of 128 bits by 64. */
#define MBEDTLS_NO_UDBL_DIVISION

#endif
