// SPDX-License-Identifier: BSD-2-Clause
/* libdeflate's CRC-32 with its table of 1 KiB: 10 instructions a byte, where the one of 8 KiB takes 7. */
#define libdeflate_crc32 crc32_by_8_tables /* nobody calls it, so the linker leaves it out */
#include "lib/crc32.c"
#undef libdeflate_crc32

LIBDEFLATEAPI u32 libdeflate_crc32(u32 crc, const void *p, size_t len);

LIBDEFLATEAPI u32 libdeflate_crc32(u32 crc, const void *p, size_t len)
{
	return p ? ~crc32_slice1(~crc, p, len) : 0;
}
