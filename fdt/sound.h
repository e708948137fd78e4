/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can libfdt, and our own walk, be let loose on a blob? Private to fdt/.
 */
#ifndef LIFEBOAT_FDT_SOUND_H
#define LIFEBOAT_FDT_SOUND_H

#include "base/types.h"

/**
 * Check the header alone: its magic, that it can be read as version 17, and that its blocks lie where it says
 * they may.
 *
 * Version 17 is the first that stores the size of the structure block, which bounds a walk. That the blocks
 * are aligned is what libfdt, which reads them by whole words, leaves to its caller.
 * @blob  8-byte aligned; a header's 40 bytes may be read
 * Return: 0, or a negative libfdt error: -FDT_ERR_BADMAGIC, -FDT_ERR_BADVERSION, -FDT_ERR_ALIGNMENT, or
 *         fdt_check_header()'s.
 */
int sound_header(const void *blob);

/**
 * Check all of the blob: its header, and every tag of its tree, as fdt_check_full() does.
 *
 * @size  bytes that may be read
 * Return: 0, or a negative libfdt error: sound_header()'s, -FDT_ERR_TRUNCATED, -FDT_ERR_BADSTRUCTURE.
 */
int sound_tree(const void *blob, uint64_t size);

#endif
