// SPDX-License-Identifier: BSD-2-Clause
/*
 * The plan, on every machine of a few pages: each set of banks of RAM (four at most), with each set of reservations.
 * An oracle on the pages' bits says where everything goes, or which error is due.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kexec/place/place.h"

#define PAGES	8 /* so there are four banks at most, and as many reservations */
#define ORIGIN	UINT64_C(0x80000000)
#define FLASH	UINT64_C(0x20000000)
#define NOWHERE PAGES

/* Sizes in pages. */
struct wish {
	unsigned image, align, initrd;
	bool fixed;
};

/* Where: first pages. */
struct answer {
	enum lb_err err;
	unsigned image, initrd, fdt;
};

static struct memmap map;
static struct plan plan;

static unsigned mask(unsigned first, unsigned count)
{
	return ((1u << count) - 1) << first;
}

static bool fits(unsigned room, unsigned first, unsigned count)
{
	return first + count <= PAGES && (room & mask(first, count)) == mask(first, count);
}

/* The highest place below @end; NOWHERE if there is none. */
static unsigned highest(unsigned room, unsigned count, unsigned end)
{
	for (unsigned at = end; at-- > 0;) {
		if (at + count <= end && fits(room, at, count))
			return at;
	}
	return NOWHERE;
}

/* The FDT as high as it goes if the initrd then has a place: below it, or else above. */
static bool place_rest(unsigned room, const struct wish *wish, struct answer *a)
{
	for (a->fdt = PAGES; a->fdt-- > 0;) {
		const unsigned left = room & ~mask(a->fdt, 1);

		if (!fits(room, a->fdt, 1))
			continue;
		if (!wish->initrd)
			return true;
		a->initrd = highest(left, wish->initrd, a->fdt);
		if (a->initrd == NOWHERE)
			a->initrd = highest(left, wish->initrd, PAGES);
		if (a->initrd != NOWHERE)
			return true;
	}
	return false;
}

static void answer_floating(unsigned room, const struct wish *wish, struct answer *a)
{
	for (a->image = 0; a->image < PAGES; a->image += wish->align) {
		if (fits(room, a->image, wish->image) &&
		    place_rest(room & ~mask(a->image, wish->image), wish, a))
			return;
	}
	a->err = LB_ENOSPC;
}

static void answer_fixed(unsigned ram, unsigned taken, const struct wish *wish, struct answer *a)
{
	const unsigned own = mask(a->image, wish->image);

	if (taken & own)
		a->err = LB_ECONFLICT;
	else if (!fits(ram, a->image, wish->image) || !place_rest(ram & ~taken & ~own, wish, a))
		a->err = LB_ENOSPC;
}

static void make_machine(unsigned ram, unsigned taken)
{
	memmap_init(&map);
	for (unsigned i = 0; i < PAGES; i++) {
		if (ram >> i & 1)
			assert_int_equal(memmap_add_ram(&map, ORIGIN + i * PAGE_SIZE, PAGE_SIZE), LB_OK);
	}
	for (unsigned i = 0, first; i < PAGES; i++) {
		for (first = i; i < PAGES && (taken >> i & 1); i++)
			;
		assert_int_equal(memmap_take(&map, ORIGIN + first * PAGE_SIZE, (i - first) * PAGE_SIZE,
					     MEMMAP_RESERVED, "someone"),
				 LB_OK);
	}
}

static paddr_t page(unsigned number)
{
	return ORIGIN + number * PAGE_SIZE;
}

static void check(unsigned ram, unsigned taken, const struct wish *wish, const struct answer *want)
{
	const uint64_t size = wish->image * PAGE_SIZE;
	const struct image image = {.kind = wish->fixed ? IMAGE_RAW : IMAGE_LINUX,
				    .fixed = wish->fixed,
				    .align = wish->align * PAGE_SIZE,
				    .mem_size = size,
				    .entry = wish->fixed ? page(want->image) : 0,
				    .segment_count = 1,
				    .segment = {{.file_size = size,
						 .mem_size = size,
						 .address = wish->fixed ? page(want->image) : 0}}};
	const struct place_request request = {.image = &image,
					      .image_pa = FLASH,
					      .image_size = size,
					      .initrd = {FLASH + size, wish->initrd * PAGE_SIZE},
					      .fdt_size = PAGE_SIZE,
					      .limit = UINT64_MAX};
	const enum lb_err err = place_plan(&map, &request, &plan, NULL);

	if (err != want->err)
		fail_msg("RAM %#x, taken %#x, image %u at %u: %s, not %s", ram, taken, wish->image,
			 want->image, lb_err_name(err), lb_err_name(want->err));
	if (err)
		return;
	assert_int_equal(plan.entry, page(want->image));
	assert_int_equal(plan.fdt, page(want->fdt));
	assert_int_equal(plan.initrd.size, request.initrd.size);
	if (wish->initrd)
		assert_int_equal(plan.initrd.base, page(want->initrd));
}

static void every_machine_gets_the_best_plan_or_the_error_that_is_due(void **state)
{
	static const struct wish wishes[] = {
		{1, 1, 0, false}, {1, 2, 2, false}, {3, 1, 1, false},
		{2, 2, 1, false}, {2, 1, 1, true},  {1, 1, 2, true},
	};
	unsigned planned = 0, refused = 0;

	(void)state;
	for (unsigned code = 0; code < 1u << 2 * PAGES; code++) {
		const unsigned ram = code & mask(0, PAGES), taken = code >> PAGES;

		make_machine(ram, taken);
		for (size_t w = 0; w < ARRAY_SIZE(wishes); w++) {
			struct answer want = {.err = LB_OK, .image = code % PAGES};

			if (wishes[w].fixed)
				answer_fixed(ram, taken, &wishes[w], &want);
			else
				answer_floating(ram & ~taken, &wishes[w], &want);
			check(ram, taken, &wishes[w], &want);
			*(want.err ? &refused : &planned) += 1;
		}
	}
	print_message("%u plans, %u refusals\n", planned, refused);
	assert_true(planned > 1000 && refused > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_machine_gets_the_best_plan_or_the_error_that_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
