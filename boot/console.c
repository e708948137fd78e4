// SPDX-License-Identifier: BSD-2-Clause
/* The console, through SBI: DBCN in one call a line, or the legacy call byte by byte. */
#include "boot/console.h"

#include "boot/instret.h"
#include "boot/sbi.h"
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

void console_write(struct console *console, const char *text, size_t size)
{
	uint64_t begin = instret_read(console->instret_usable);

	if (console->dbcn)
		write_dbcn((uintptr_t)text - STAGE_VA + console->stage_pa, size);
	else
		write_legacy(text, size);
	console->instret += instret_read(console->instret_usable) - begin;
}

char console_read(struct console *console)
{
	struct sbi_result result;
	int64_t byte;

	if (!console->dbcn) {
		byte = sbi_console_getchar();
		return byte < 0 ? 0 : (char)byte;
	}
	result = sbi_console_read((uintptr_t)&console->key - STAGE_VA + console->stage_pa, 1);
	return !result.error && result.value == 1 ? console->key : 0;
}
