/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling all RAM that an FDT gives to a primary with the pattern that crash_checker.c looks for. */
#ifndef LIFEBOAT_TESTS_CRASH_FILL_H
#define LIFEBOAT_TESTS_CRASH_FILL_H

#include "crash_pattern.h"
#include "fdt.h"

#define RANGES_MAX 32

#ifndef FILL_END
#define FILL_END UINT64_MAX /* nothing from there on is filled */
#endif

struct ranges {
	struct range {
		uint64_t start, end;
	} range[RANGES_MAX];
	size_t count;
};

static void add(struct ranges *ranges, const uint8_t *value, uint32_t size)
{
	for (uint32_t at = 0; at + 16 <= size && ranges->count < RANGES_MAX; at += 16) {
		uint64_t start = be_cells(value + at, 2);

		ranges->range[ranges->count++] = (struct range){start, start + be_cells(value + at + 8, 2)};
	}
}

/* What is lent to this primary is written, too, but is not what the checker will see. */
static void fill_lent(const struct fdt_walk *walk)
{
	const uint64_t start = be_cells(walk->value, 2), size = be_cells(walk->value + 8, 2);

	for (uint64_t word = start; word < start + size; word += 8)
		*(volatile uint64_t *)word = ~pattern(word);
	say("primary: filled %u bytes that are lent", size);
}

static void read_fdt(const void *fdt, struct ranges *ram, struct ranges *reserved)
{
	enum fdt_event event;
	struct fdt_walk walk;

	fdt_begin(&walk, fdt);
	while ((event = fdt_next(&walk)) != FDT_END) {
		if (event == FDT_BROKEN) {
			say("primary: FAIL the FDT is broken");
			shut_down();
		}
		if (event != FDT_PROPERTY || !is_same(walk.property, "reg"))
			continue;
		if (walk.depth == 2 && begins_with(walk.node[2], "memory@"))
			add(ram, walk.value, walk.size);
		if (walk.depth == 3 && is_same(walk.node[2], "reserved-memory"))
			add(reserved, walk.value, walk.size);
		if (walk.depth == 3 && begins_with(walk.node[3], "lifeboat-lent@"))
			fill_lent(&walk);
	}
}

/* The end of what may be written from @at on; @at itself moves behind what is reserved. */
static uint64_t next_piece(uint64_t *at, uint64_t end, const struct ranges *reserved)
{
	size_t i = 0;

	while (i < reserved->count) {
		const struct range *taken = &reserved->range[i++];

		if (*at >= taken->start && *at < taken->end) {
			*at = taken->end;
			i = 0; /* that may be the start of another */
		}
	}
	for (i = 0; i < reserved->count; i++) {
		if (reserved->range[i].start >= *at && reserved->range[i].start < end)
			end = reserved->range[i].start;
	}
	return end;
}

static uint64_t fill(const struct ranges *ram, const struct ranges *reserved)
{
	uint64_t filled = 0;

	for (size_t i = 0; i < ram->count; i++) {
		const uint64_t last = ram->range[i].end < FILL_END ? ram->range[i].end : FILL_END;
		uint64_t at = ram->range[i].start, end;

		for (; at < last; at = end) {
			end = next_piece(&at, last, reserved);
			if (at >= last)
				break;
			for (uint64_t word = at; word < end; word += 8)
				*(volatile uint64_t *)word = pattern(word);
			filled += end - at;
		}
	}
	return filled;
}

/* All but this program itself, which is told in the line. */
static inline void fill_ram(const void *fdt)
{
	static struct ranges ram, reserved;
	struct range own;
	uint64_t filled;

	ram.count = reserved.count = 0; /* nobody zeroes bss for an Image */
	read_fdt(fdt, &ram, &reserved);
	/* Not as constants, which would be link addresses. */
	__asm__("lla %0, image_start; lla %1, image_end" : "=&r"(own.start), "=r"(own.end));
	reserved.range[reserved.count++] = own;
	filled = fill(&ram, &reserved);
	say("primary: filled %u bytes around %x..%x", filled, own.start, own.end);
	/* A UART forgets in a reset what it has not sent: let that be of a line that nobody waits for. */
	say("primary: ready to die");
}

#endif
