// SPDX-License-Identifier: BSD-2-Clause
/* Console, power, strings and checksums for payloads. */
#include "common.h"

#include <stdarg.h>

#define LINE_MAX 1024

struct sbi_result sbi_call(uint64_t eid, uint64_t fid, uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
	register uint64_t a0 __asm__("a0") = arg0;
	register uint64_t a1 __asm__("a1") = arg1;
	register uint64_t a2 __asm__("a2") = arg2;
	register uint64_t a6 __asm__("a6") = fid;
	register uint64_t a7 __asm__("a7") = eid;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_result){(int64_t)a0, a1};
}

_Noreturn void shut_down(void)
{
	sbi_call(SBI_SRST, 0, 0, 0, 0);
	for (;;)
		__asm__ volatile("wfi");
}

struct line {
	char text[LINE_MAX];
	size_t used;
};

static void add(struct line *line, char c)
{
	if (line->used < LINE_MAX)
		line->text[line->used++] = c;
}

static void add_text(struct line *line, const char *text)
{
	while (*text)
		add(line, *text++);
}

static void add_number(struct line *line, uint64_t number, unsigned base)
{
	char digits[20];
	int count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	while (count)
		add(line, digits[--count]);
}

/* By DBCN; byte by byte where the firmware is older than that. */
static void write_line(const struct line *line)
{
	size_t done = 0;

	while (done < line->used) {
		struct sbi_result result =
			sbi_call(SBI_DBCN, 0, line->used - done, (uintptr_t)line->text + done, 0);

		if (result.error || !result.value)
			break;
		done += result.value;
	}
	while (done < line->used)
		sbi_call(SBI_LEGACY_PUTCHAR, 0, (uint8_t)line->text[done++], 0, 0);
}

void say(const char *format, ...)
{
	struct line line;
	va_list values;

	line.used = 0;
	va_start(values, format);
	for (; *format; format++) {
		if (*format != '%') {
			add(&line, *format);
			continue;
		}
		format++;
		if (*format == 's') {
			add_text(&line, va_arg(values, const char *));
		} else if (*format == 'u') {
			add_number(&line, va_arg(values, uint64_t), 10);
		} else {
			add_text(&line, "0x");
			add_number(&line, va_arg(values, uint64_t), 16);
		}
	}
	va_end(values);
	add(&line, '\n');
	write_line(&line);
}

uint32_t crc32(const uint8_t *data, uint64_t size)
{
	/* The effect of four bits, for the reflected polynomial 0xedb88320. */
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = UINT32_MAX;

	while (size--) {
		crc ^= *data++;
		crc = (crc >> 4) ^ table[crc & 15];
		crc = (crc >> 4) ^ table[crc & 15];
	}
	return ~crc;
}

size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

bool is_same(const char *a, const char *b)
{
	return begins_with(a, b) && length_of(a) == length_of(b);
}

bool begins_with(const char *text, const char *prefix)
{
	while (*prefix) {
		if (*text++ != *prefix++)
			return false;
	}
	return true;
}

/* A compiler may want it, whatever the source says. */
void *memset(void *at, int value, size_t size);

void *memset(void *at, int value, size_t size)
{
	for (uint8_t *byte = at; size--; byte++)
		*byte = (uint8_t)value;
	return at;
}
