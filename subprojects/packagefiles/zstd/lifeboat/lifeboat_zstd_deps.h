/* SPDX-License-Identifier: BSD-2-Clause */
/* What zstd_deps.h would take from the C library; there is no heap, and a decoder in memory of its caller needs none. */
#ifndef LIFEBOAT_ZSTD_DEPS_H
#define LIFEBOAT_ZSTD_DEPS_H

#define ZSTD_DEPS_COMMON
#define ZSTD_DEPS_MALLOC

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "words.h"

#define ZSTD_memcpy(d, s, l)  __builtin_memcpy((d), (s), (l))
#define ZSTD_memmove(d, s, l) __builtin_memmove((d), (s), (l))
#define ZSTD_memset(p, v, l)  __builtin_memset((p), (v), (l))
#define ZSTD_malloc(s)	      NULL
#define ZSTD_calloc(n, s)     NULL
#define ZSTD_free(p)	      ((void)(p))

#endif
