// SPDX-License-Identifier: BSD-2-Clause
/* The console, through SBI: DBCN in one call a line, or the legacy call byte by byte. */
#include "boot/machine/console.h"

#include "boot/machine/instret.h"
#include "boot/machine/sbi.h"
#include "mm/layout.h"

void console_init(struct console *console, paddr_t stage_pa, bool instret_usable)
{
	*console = (struct console){
		.dbcn = sbi_probe(SBI_EXT_DBCN), .stage_pa = stage_pa, .instret_usable = instret_usable};
}

static void write_legacy(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sbi_console_putchar(text[i]);
}

/* DBCN may take a part, but a call that takes nothing will not take more the next time. */
static void write_dbcn(paddr_t pa, size_t size)
{
	while (size) {
		struct sbi_result result = sbi_console_write(pa, size);

		if (result.error || !result.value || result.value > size)
			return;
		pa += result.value;
		size -= result.value;
	}
}

static paddr_t physical(const struct console *console, const char *own)
{
	return (uintptr_t)own - STAGE_VA + console->stage_pa;
}

int console_read(const struct console *console)
{
	struct sbi_result result;
	volatile char typed = 0;
	int64_t c;

	if (!console->dbcn) {
		c = sbi_console_getchar();
		return c >= 0 && c <= UINT8_MAX ? (int)c : -1;
	}
	result = sbi_console_read(physical(console, (const char *)&typed), 1);
	return result.error || result.value != 1 ? -1 : (unsigned char)typed;
}

void console_write(struct console *console, const char *text, size_t size)
{
	uint64_t begin = instret_read(console->instret_usable);

	if (console->dbcn)
		write_dbcn(physical(console, text), size);
	else
		write_legacy(text, size);
	console->instret += instret_read(console->instret_usable) - begin;
}
