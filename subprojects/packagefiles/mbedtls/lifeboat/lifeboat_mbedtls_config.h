/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mbedTLS's configuration as lifeboat builds it: the arithmetic of RSA and ECDSA verification, and SHA-2, which the
 * unit tests hold the stage's own against.
 *
 * No heap, no entropy, no files, no time. What nobody calls, the linker leaves out.
 */
#ifndef LIFEBOAT_MBEDTLS_CONFIG_H
#define LIFEBOAT_MBEDTLS_CONFIG_H

#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER
#define MBEDTLS_BIGNUM_C

/*
 * Limbs of 64 bits and products of 128, on every machine: without this, an architecture that bignum.h does not list
 * gets products out of four of 32 bits each, and an RSA verification that takes five times as long.
 */
#define MBEDTLS_HAVE_INT64
#define MBEDTLS_HAVE_UDBL
typedef unsigned int mbedtls_t_udbl __attribute__((mode(TI)));

#endif
