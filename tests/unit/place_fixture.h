/* SPDX-License-Identifier: BSD-2-Clause */
/* For the tests of the plan: a machine, a payload of each kind, and a plan to look at. */
#ifndef LIFEBOAT_TESTS_UNIT_PLACE_FIXTURE_H
#define LIFEBOAT_TESTS_UNIT_PLACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kexec/place/place.h"

#define RAM	 UINT64_C(0x80000000)
#define FLASH	 UINT64_C(0x20000000) /* where sources lie that are in nobody's way */
#define FDT_SIZE UINT64_C(0x4000)

struct fixture {
	struct memmap map;
	struct image image;
	struct place_request request;
	struct plan plan;
	struct diag diag;
};

/* A machine as QEMU's virt has it, with firmware at its base, and no bundle yet. */
static inline void begin(struct fixture *f, uint64_t ram_size)
{
	memset(f, 0, sizeof(*f));
	memmap_init(&f->map);
	assert_int_equal(memmap_add_ram(&f->map, RAM, ram_size), LB_OK);
	assert_int_equal(memmap_take(&f->map, RAM, 512 * KIB, MEMMAP_FIRMWARE, "mmode_resv0"), LB_OK);
	f->request = (struct place_request){
		.image = &f->image,
		.fdt_size = FDT_SIZE,
		.limit = UINT64_MAX,
	};
}

static inline void set_linux(struct fixture *f, paddr_t source, uint64_t file_size, uint64_t mem_size)
{
	f->image = (struct image){
		.kind = IMAGE_LINUX,
		.align = IMAGE_LINUX_ALIGN,
		.mem_size = mem_size,
		.segment_count = 1,
		.segment = {{.file_size = file_size, .mem_size = mem_size}},
	};
	f->request.image_pa = source;
	f->request.image_size = file_size;
}

static inline void set_raw(struct fixture *f, paddr_t source, uint64_t size, paddr_t load)
{
	f->image = (struct image){
		.kind = IMAGE_RAW,
		.fixed = true,
		.entry = load,
		.segment_count = 1,
		.segment = {{.file_size = size, .mem_size = size, .address = load}},
	};
	f->request.image_pa = source;
	f->request.image_size = size;
}

/* A fixed ELF of @count segments of @size bytes each, one behind the other in the file. */
static inline void set_elf(struct fixture *f, paddr_t source, uint64_t size, const paddr_t *address,
			   size_t count)
{
	f->image = (struct image){.kind = IMAGE_ELF,
				  .fixed = true,
				  .zero_fill = true,
				  .entry = address[0],
				  .segment_count = count};
	for (size_t i = 0; i < count; i++)
		f->image.segment[i] = (struct image_segment){
			.offset = i * size, .file_size = size, .mem_size = size, .address = address[i]};
	f->request.image_pa = source;
	f->request.image_size = count * size;
}

static inline void set_initrd(struct fixture *f, paddr_t base, uint64_t size)
{
	f->request.initrd = (struct region){base, size};
}

static inline void set_bundle(struct fixture *f, paddr_t base, uint64_t size)
{
	f->request.bundle = (struct region){base, size};
	assert_int_equal(memmap_take(&f->map, base, size, MEMMAP_BUNDLE, "fit"), LB_OK);
}

static inline enum lb_err plan(struct fixture *f)
{
	memset(&f->plan, 0xa5, sizeof(f->plan));
	return place_plan(&f->map, &f->request, &f->plan, &f->diag);
}

static inline void assert_planned(struct fixture *f)
{
	enum lb_err err = plan(f);

	if (err)
		fail_msg("%s: %s", lb_err_name(err), f->diag.text);
}

static inline void assert_fails(struct fixture *f, enum lb_err code, const char *text)
{
	assert_int_equal(plan(f), code);
	assert_string_equal(f->diag.text, text);
}

/* The n-th item of that name. */
static inline const struct plan_item *item(const struct fixture *f, const char *name, size_t n)
{
	for (size_t i = 0; i < f->plan.count; i++) {
		if (strcmp(f->plan.item[i].name, name) == 0 && n-- == 0)
			return &f->plan.item[i];
	}
	fail_msg("no item %s", name);
	return NULL;
}

#endif
