/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What payloads share. They run at any address, linked at another, so there are no tables of pointers.
 */
#ifndef LIFEBOAT_TESTS_COMMON_H
#define LIFEBOAT_TESTS_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the hart held on entry; start.S knows the layout. x[0] is undefined. */
struct entry_state {
	uint64_t x[32];
	uint64_t satp, sie, sip, sstatus, stvec, sscratch;
};
_Static_assert(sizeof(struct entry_state) == 38 * 8, "as in start.S");

enum { A0 = 10, A1 = 11 };

struct sbi_result {
	int64_t error;
	uint64_t value;
};

#define SBI_LEGACY_PUTCHAR 0x1
#define SBI_LEGACY_GETCHAR 0x2
#define SBI_BASE	   0x10
#define SBI_HSM		   0x48534d
#define SBI_DBCN	   0x4442434e
#define SBI_SRST	   0x53525354

enum { HSM_START = 0, HSM_STATUS = 2, HSM_STARTED = 0, HSM_STOPPED = 1 };

#define CSR_READ(name)                                                        \
	({                                                                    \
		uint64_t value_;                                              \
		__asm__ volatile("csrr %0, " #name : "=r"(value_)::"memory"); \
		value_;                                                       \
	})

/* payload.lds: [image_start, file_end) was in the file, the rest up to image_end is bss and stack. */
extern uint8_t image_start[], file_end[], bss_start[], bss_end[], image_end[];
extern const uint64_t image_crc; /* start.S: of what lies behind it in the file */

struct sbi_result sbi_call(uint64_t eid, uint64_t fid, uint64_t arg0, uint64_t arg1, uint64_t arg2);

/** Print one line by SBI. %s string, %u number, %x number with 0x (both uint64_t). No other formats. */
void say(const char *format, ...);

/** Switch the machine off, or stand still where SBI can't. */
_Noreturn void shut_down(void);

/** zlib's CRC-32. */
uint32_t crc32(const uint8_t *data, uint64_t size);

size_t length_of(const char *text);
bool is_same(const char *a, const char *b);
bool begins_with(const char *text, const char *prefix);

/** Each payload's own: what start.S calls, and where a trap ends. */
void main(const struct entry_state *entry);
_Noreturn void trapped(uint64_t scause, uint64_t sepc, uint64_t stval);

#endif
