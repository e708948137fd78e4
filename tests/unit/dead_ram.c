// SPDX-License-Identifier: BSD-2-Clause
/* Makes up dead kernels: a note, and a printk ring with its writer. */
#include "dead_ram.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINK_ADDR UINT64_C(0xffffffff80000000)
#define ID_BITS	  62

uint64_t dead_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t dead_below(uint64_t *state, uint64_t bound)
{
	return dead_random(state) % bound;
}

void dead_ram_init(struct dead_ram *ram, paddr_t base, uint64_t size)
{
	ram->base = base;
	ram->size = size;
	ram->bytes = aligned_alloc(PAGE_SIZE, size);
	assert_non_null(ram->bytes);
	memset(ram->bytes, 0, size);
	region_set_clear(&ram->readable);
	assert_int_equal(region_set_add(&ram->readable, base, size), LB_OK);
	ram->look = (struct ram){.readable = &ram->readable, .offset = (uintptr_t)ram->bytes - base};
}

void dead_ram_free(struct dead_ram *ram)
{
	free(ram->bytes);
	ram->bytes = NULL;
}

void dead_put(struct dead_ram *ram, paddr_t pa, uint64_t value, size_t width)
{
	assert_true(pa >= ram->base && pa - ram->base <= ram->size - width);
	memcpy(ram->bytes + (pa - ram->base), &value, width);
}

uint64_t dead_get(const struct dead_ram *ram, paddr_t pa, size_t width)
{
	uint64_t value = 0;

	assert_true(pa >= ram->base && pa - ram->base <= ram->size - width);
	memcpy(&value, ram->bytes + (pa - ram->base), width);
	return value;
}

/* Debian's 6.12. */
static const struct printk_layout usual = {
	.rb_text_data_ring = 48,
	.ring_descs = 8,
	.ring_infos = 16,
	.ring_head = 24,
	.ring_tail = 32,
	.desc_size = 24,
	.desc_text = 8,
	.lpos_next = 8,
	.data_data = 8,
	.info_size = 88,
	.info_ts = 8,
	.info_text_len = 16,
};

/* No kernel's: every number differs from every usual one, and nothing is in its usual order. */
static const struct printk_layout odd = {
	.rb_desc_ring = 72,
	.rb_text_data_ring = 16,
	.ring_count_bits = 60,
	.ring_descs = 48,
	.ring_infos = 32,
	.ring_head = 8,
	.ring_tail = 16,
	.desc_size = 56,
	.desc_state = 32,
	.desc_text = 4,
	.lpos_begin = 12,
	.lpos_next = 2,
	.data_size_bits = 28,
	.data_data = 12,
	.info_size = 61,
	.info_seq = 45,
	.info_ts = 23,
	.info_text_len = 7,
	.counter = 3,
};

void dead_kernel_init(struct dead_kernel *kernel, struct dead_ram *ram, enum dead_age age, paddr_t kernel_pa,
		      paddr_t note_pa)
{
	static const char *const releases[] = {"6.1.192-riscv", "6.2.0", "6.12.107+deb13-riscv64",
					       "7.2.13+deb14-riscv64", "9.9-odd"};

	memset(kernel, 0, sizeof(*kernel));
	kernel->ram = ram;
	kernel->age = age;
	kernel->release = releases[age];
	kernel->kernel_pa = kernel_pa;
	kernel->note_pa = note_pa;
	kernel->page_offset = UINT64_C(0xffffaf8000000000);
	kernel->va_bits = 48;
	kernel->count_bits = 5;
	kernel->size_bits = 10;
	kernel->uts_name = age == AGE_7_2 ? 8 : 0;
	kernel->at = age == AGE_ODD ? odd : usual;
	if (age == AGE_7_2)
		kernel->at.info_size = 112;
}

void dead_note_append(struct dead_kernel *kernel, const char *format, ...)
{
	char *end = kernel->text + kernel->text_size;
	va_list args;

	va_start(args, format);
	kernel->text_size += (size_t)vsnprintf(end, sizeof(kernel->text) - kernel->text_size, format, args);
	va_end(args);
	assert_true(kernel->text_size < sizeof(kernel->text));
}

void dead_note_replace(struct dead_kernel *kernel, const char *prefix, const char *value)
{
	char *line = strstr(kernel->text, prefix);
	char rest[sizeof(kernel->text)];

	assert_non_null(line);
	snprintf(rest, sizeof(rest), "%s", strchr(line, '\n') + 1);
	kernel->text_size = (size_t)(line - kernel->text);
	if (value)
		dead_note_append(kernel, "%s%s\n", prefix, value);
	dead_note_append(kernel, "%s", rest);
}

void dead_note_write(struct dead_kernel *kernel)
{
	struct dead_ram *ram = kernel->ram;
	size_t padded = (kernel->text_size + 3) & ~(size_t)3;
	uint8_t *note = ram->bytes + (kernel->note_pa - ram->base);

	assert_true(kernel->note_pa - ram->base + 24 + padded + 12 <= ram->size);
	memset(note, 0, 24 + padded + 12);
	dead_put(ram, kernel->note_pa, 11, 4);
	dead_put(ram, kernel->note_pa + 4, kernel->text_size, 4);
	memcpy(note + 12, "VMCOREINFO", 10);
	memcpy(note + 24, kernel->text, kernel->text_size);
}

static uint64_t kernel_va(const struct dead_kernel *kernel, paddr_t pa)
{
	return kernel->kernel_va + (pa - kernel->kernel_pa);
}

/* Where a kernel of this age has RAM's first byte in its linear map. */
static paddr_t linear_base(const struct dead_kernel *kernel)
{
	return kernel->age <= AGE_6_2 ? kernel->kernel_pa : kernel->ram->base;
}

static uint64_t array_va(const struct dead_kernel *kernel, paddr_t pa)
{
	return kernel->linear ? pa - linear_base(kernel) + kernel->page_offset : kernel_va(kernel, pa);
}

static void write_ring_lines(struct dead_kernel *k)
{
	const struct {
		const char *name;
		uint16_t number;
	} lines[] = {
		{"SIZE(printk_ringbuffer)", 88},
		{"OFFSET(printk_ringbuffer.desc_ring)", k->at.rb_desc_ring},
		{"OFFSET(printk_ringbuffer.text_data_ring)", k->at.rb_text_data_ring},
		{"OFFSET(printk_ringbuffer.fail)", 80},
		{"SIZE(prb_desc_ring)", 48},
		{"OFFSET(prb_desc_ring.count_bits)", k->at.ring_count_bits},
		{"OFFSET(prb_desc_ring.descs)", k->at.ring_descs},
		{"OFFSET(prb_desc_ring.infos)", k->at.ring_infos},
		{"OFFSET(prb_desc_ring.head_id)", k->at.ring_head},
		{"OFFSET(prb_desc_ring.tail_id)", k->at.ring_tail},
		{"SIZE(prb_desc)", k->at.desc_size},
		{"OFFSET(prb_desc.state_var)", k->at.desc_state},
		{"OFFSET(prb_desc.text_blk_lpos)", k->at.desc_text},
		{"SIZE(prb_data_blk_lpos)", 16},
		{"OFFSET(prb_data_blk_lpos.begin)", k->at.lpos_begin},
		{"OFFSET(prb_data_blk_lpos.next)", k->at.lpos_next},
		{"SIZE(printk_info)", k->at.info_size},
		{"OFFSET(printk_info.seq)", k->at.info_seq},
		{"OFFSET(printk_info.ts_nsec)", k->at.info_ts},
		{"OFFSET(printk_info.text_len)", k->at.info_text_len},
		{"OFFSET(printk_info.caller_id)", 20},
		{"SIZE(prb_data_ring)", 32},
		{"OFFSET(prb_data_ring.size_bits)", k->at.data_size_bits},
		{"OFFSET(prb_data_ring.data)", k->at.data_data},
		{"OFFSET(prb_data_ring.head_lpos)", 16},
		{"SIZE(atomic_long_t)", 8},
		{"OFFSET(atomic_long_t.counter)", k->at.counter},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		dead_note_append(k, "%s=%u\n", lines[i].name, lines[i].number);
}

static void write_riscv_lines(struct dead_kernel *k)
{
	if (k->age == AGE_6_1)
		return;
	dead_note_append(k, "NUMBER(phys_ram_base)=%" PRIu64 "\n", linear_base(k));
	dead_note_append(k, "NUMBER(PAGE_OFFSET)=0x%" PRIx64 "\n", k->page_offset);
	dead_note_append(k, "NUMBER(VMALLOC_END)=0x%" PRIx64 "\nNUMBER(VA_BITS)=%u\n", k->page_offset,
			 k->va_bits);
	dead_note_append(k, "NUMBER(KERNEL_LINK_ADDR)=0x%" PRIx64 "\n", LINK_ADDR);
	if (k->age == AGE_6_2)
		return;
	dead_note_append(k, "NUMBER(va_kernel_pa_offset)=0x%" PRIx64 "\n", k->kernel_va - k->kernel_pa);
	if (k->age == AGE_7_2)
		dead_note_append(k, "KERNELOFFSET=%" PRIx64 "\nNUMBER(satp)=0x8000000000082507\n", k->kaslr);
}

static void write_text(struct dead_kernel *k)
{
	k->text_size = 0;
	dead_note_append(k, "OSRELEASE=%s\nBUILD-ID=0ced2ce8d44e8f377eee75b7c4198104fafeb9e0\n", k->release);
	dead_note_append(k, "PAGESIZE=4096\nSYMBOL(init_uts_ns)=%" PRIx64 "\n", kernel_va(k, k->uts));
	dead_note_append(k, "OFFSET(uts_namespace.name)=%u\n", k->uts_name);
	dead_note_append(k, "SYMBOL(swapper_pg_dir)=%" PRIx64 "\n", k->kernel_va + 0xca000);
	dead_note_append(k, "SYMBOL(_stext)=%" PRIx64 "\nLENGTH(mem_section)=4194304\n",
			 k->kernel_va + 0x2000);
	dead_note_append(k, "SYMBOL(prb)=%" PRIx64 "\n", kernel_va(k, k->prb));
	dead_note_append(k, "SYMBOL(printk_rb_static)=%" PRIx64 "\n", kernel_va(k, k->rb));
	write_ring_lines(k);
	dead_note_append(k, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n");
	write_riscv_lines(k);
	if (k->crash_time)
		dead_note_append(k, "CRASHTIME=%" PRIu64 "\n", k->crash_time);
}

static void write_heads(struct dead_kernel *k)
{
	paddr_t desc_ring = k->rb + k->at.rb_desc_ring;

	dead_put(k->ram, desc_ring + k->at.ring_head + k->at.counter, k->head_id, 8);
	dead_put(k->ram, desc_ring + k->at.ring_tail + k->at.counter, k->tail_id, 8);
}

/* As Linux begins: record 0 takes slot 0, the ids before it are huge, the first byte ends a wrap. */
static void write_ring(struct dead_kernel *k)
{
	paddr_t desc_ring = k->rb + k->at.rb_desc_ring;
	paddr_t data_ring = k->rb + k->at.rb_text_data_ring;
	uint64_t first = (UINT64_C(1) << ID_BITS) - (UINT64_C(1) << k->count_bits) - 1;

	dead_put(k->ram, k->prb, kernel_va(k, k->rb), 8);
	dead_put(k->ram, desc_ring + k->at.ring_count_bits, k->count_bits, 4);
	dead_put(k->ram, desc_ring + k->at.ring_descs, array_va(k, k->descs), 8);
	dead_put(k->ram, desc_ring + k->at.ring_infos, array_va(k, k->infos), 8);
	dead_put(k->ram, data_ring + k->at.data_size_bits, k->size_bits, 4);
	dead_put(k->ram, data_ring + k->at.data_data, array_va(k, k->data), 8);
	k->head_id = k->tail_id = first;
	k->head_lpos = k->tail_lpos = -(UINT64_C(1) << k->size_bits);
	for (uint64_t i = 0; i < UINT64_C(1) << k->count_bits; i++)
		dead_put(k->ram, k->descs + i * k->at.desc_size + k->at.desc_state + k->at.counter,
			 (UINT64_C(3) << ID_BITS) |
				 (i == (first & ((UINT64_C(1) << k->count_bits) - 1)) ? first : 0),
			 8);
	write_heads(k);
}

/* An Image header as boot-image-header.rst has it, and vmcoreinfo_note, which is among the last of .bss. */
static void write_image(struct dead_kernel *k)
{
	if (!k->headless) {
		dead_put(k->ram, k->kernel_pa + 16, DEAD_IMAGE, 8);
		dead_put(k->ram, k->kernel_pa + 32, 2, 4);
		dead_put(k->ram, k->kernel_pa + 56, 0x05435352, 4);
	}
	if (!k->unnamed)
		dead_put(k->ram, k->kernel_pa + DEAD_IMAGE - 64, k->page_offset + k->note_pa - linear_base(k),
			 8);
}

void dead_kernel_build(struct dead_kernel *k)
{
	k->kernel_va = LINK_ADDR + k->kaslr;
	k->uts = k->kernel_pa + 0x3000;
	k->prb = k->kernel_pa + 0x4008;
	k->rb = k->kernel_pa + 0x4100;
	k->descs = k->kernel_pa + 0x100000;
	k->infos = k->descs + ((uint64_t)k->at.desc_size << k->count_bits) + 64;
	k->data = k->infos + ((uint64_t)k->at.info_size << k->count_bits) + 64;
	memcpy(k->ram->bytes + (k->uts + k->uts_name + 130 - k->ram->base), k->release,
	       strlen(k->release) + 1);
	write_image(k);
	write_ring(k);
	write_text(k);
	dead_note_write(k);
}

static uint64_t slot(const struct dead_kernel *k, const struct dead_record *record)
{
	return record->id % (UINT64_C(1) << k->count_bits);
}

paddr_t dead_desc(const struct dead_kernel *k, const struct dead_record *record)
{
	return k->descs + slot(k, record) * k->at.desc_size;
}

paddr_t dead_info(const struct dead_kernel *k, const struct dead_record *record)
{
	return k->infos + slot(k, record) * k->at.info_size;
}

void dead_log_rewrite(struct dead_kernel *k, const struct dead_record *r)
{
	paddr_t desc = dead_desc(k, r), info = dead_info(k, r);

	dead_put(k->ram, desc + k->at.desc_state + k->at.counter, (uint64_t)r->state << ID_BITS | r->id, 8);
	dead_put(k->ram, desc + k->at.desc_text + k->at.lpos_begin, r->begin, 8);
	dead_put(k->ram, desc + k->at.desc_text + k->at.lpos_next, r->next, 8);
	dead_put(k->ram, info + k->at.info_seq, r->seq, 8);
	dead_put(k->ram, info + k->at.info_ts, r->ts, 8);
	dead_put(k->ram, info + k->at.info_text_len, r->length, 2);
	dead_put(k->ram, info + k->at.info_text_len + 2, r->facility, 1);
	dead_put(k->ram, info + k->at.info_text_len + 3, (uint64_t)(r->level << 5 | r->flags), 1);
}

static bool has_text(const struct dead_record *record)
{
	return !(record->begin & 1);
}

/* The oldest record's slot is wanted. */
static void drop_oldest(struct dead_kernel *k)
{
	for (size_t i = k->logged; i-- > 0;) {
		if (k->log[i].id != k->tail_id)
			continue;
		if (k->log[i].state != STATE_REUSABLE && has_text(&k->log[i]))
			k->tail_lpos = k->log[i].next;
		k->log[i].state = STATE_REUSABLE;
		dead_log_rewrite(k, &k->log[i]);
		break;
	}
	k->tail_id = (k->tail_id + 1) % (UINT64_C(1) << ID_BITS);
}

/* Make room for the bytes up to position @next: their former owners lose their records. */
static void drop_texts(struct dead_kernel *k, uint64_t next)
{
	for (size_t i = 0; i < k->logged && next - k->tail_lpos > UINT64_C(1) << k->size_bits; i++) {
		if (k->log[i].state == STATE_REUSABLE || !has_text(&k->log[i]))
			continue;
		k->tail_lpos = k->log[i].next;
		k->log[i].state = STATE_REUSABLE;
		dead_log_rewrite(k, &k->log[i]);
	}
}

/* Give @record its bytes of the data ring. */
static void place_text(struct dead_kernel *k, struct dead_record *record)
{
	uint64_t size = UINT64_C(1) << k->size_bits;
	uint64_t need = 8 + (record->length + 7) / 8 * 8;
	uint64_t last, at;

	record->begin = k->head_lpos;
	record->next = record->begin + need;
	/* Before 7.x a block that would end exactly where the ring does goes to its start, too. */
	last = k->age == AGE_7_2 ? record->next - 1 : record->next;
	at = record->begin % size;
	if (record->begin / size != last / size) {
		record->next = last / size * size + need;
		at = 0;
	}
	drop_texts(k, record->next);
	k->head_lpos = record->next;
	dead_put(k->ram, k->data + at, record->id, 8);
	memcpy(k->ram->bytes + (k->data + at + 8 - k->ram->base), record->text, record->length);
}

struct dead_record *dead_log_bytes(struct dead_kernel *k, const char *text, size_t length)
{
	struct dead_record *record = &k->log[k->logged];

	assert_true(k->logged < DEAD_LOG_MAX && length <= DEAD_TEXT_MAX);
	k->head_id = (k->head_id + 1) % (UINT64_C(1) << ID_BITS);
	if ((k->head_id - k->tail_id) % (UINT64_C(1) << ID_BITS) >= UINT64_C(1) << k->count_bits)
		drop_oldest(k);
	*record = (struct dead_record){
		.id = k->head_id,
		.seq = k->next_seq,
		.ts = UINT64_C(1000001) * k->next_seq,
		.begin = 3,
		.next = 3,
		.state = STATE_FINALIZED,
		.level = 6,
		.flags = 2,
		.length = length,
	};
	k->next_seq++;
	if (length) {
		memcpy(record->text, text, length);
		place_text(k, record);
	}
	k->logged++;
	dead_log_rewrite(k, record);
	write_heads(k);
	return record;
}

struct dead_record *dead_log(struct dead_kernel *k, const char *text)
{
	return dead_log_bytes(k, text, strlen(text));
}

struct dead_record *dead_log_user(struct dead_kernel *k, const char *text)
{
	struct dead_record *record = dead_log(k, text);

	record->facility = 1;
	dead_log_rewrite(k, record);
	return record;
}

struct dead_record *dead_log_flags(struct dead_kernel *k, const char *text, uint8_t flags)
{
	struct dead_record *record = dead_log(k, text);

	record->flags = flags;
	dead_log_rewrite(k, record);
	return record;
}

size_t dead_readable(const struct dead_kernel *k, size_t index[DEAD_LOG_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < k->logged; i++) {
		const struct dead_record *record = &k->log[i];

		if ((record->state == STATE_COMMITTED || record->state == STATE_FINALIZED) &&
		    record->begin != 1)
			index[count++] = i;
	}
	return count;
}
