/* SPDX-License-Identifier: BSD-2-Clause */
/* libdeflate's decoder in memory of its caller. */
#ifndef LIFEBOAT_INFLATE_H
#define LIFEBOAT_INFLATE_H

#include "libdeflate.h"

#define INFLATE_WORK_SIZE 0x4000

/** Make a decoder in INFLATE_WORK_SIZE bytes, aligned to 8, at @work. It is never freed. */
struct libdeflate_decompressor *inflate_init(void *work);

#endif
