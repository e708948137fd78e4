// SPDX-License-Identifier: BSD-2-Clause
/* Walks the printk ring of a dead kernel. Nothing in it is believed. */
#include "kexec/dead/printk.h"

#include <inttypes.h>
#include <string.h>

/* A descriptor's state_var, and what its two uppermost bits say. */
#define STATE_SHIFT 62
#define ID_MASK	    ((UINT64_C(1) << STATE_SHIFT) - 1)
enum desc_state { DESC_RESERVED, DESC_COMMITTED, DESC_FINALIZED, DESC_REUSABLE };

/* Positions that are none: bit 0 is set. */
#define LPOS_DATALESS	UINT64_C(1)
#define LPOS_EMPTY_LINE UINT64_C(3)

/* A block of text is headed by its record's id, and aligned to that. */
#define BLOCK_HEAD sizeof(uint64_t)

/* In printk_info behind text_len: facility, flags (5 bits), level. Not in the note; so from 5.10 to 7.2. */
#define INFO_FACILITY 2
#define INFO_FLAGS    3
#define FLAG_NEWLINE  2
#define FLAG_CONT     8

/* Far beyond what log_buf_len= can ask for (2 GiB of text, a descriptor for every 32 bytes of it). */
#define COUNT_BITS_MAX 26
#define SIZE_BITS_MAX  31

#define MISSES_MAX 4096

/* Kernels align what is read; who does not is read, too, for ten times the instructions. */
static uint64_t load64(const char *from)
{
	uint64_t value;

	if (is_aligned((uintptr_t)from, sizeof(value)))
		return *(const uint64_t *)(const void *)from;
	memcpy(&value, from, sizeof(value));
	return value;
}

/* The fields of each element that are read, inside the element. */
static bool layout_is_sane(const struct printk_layout *layout)
{
	unsigned lpos_end =
		8u + (layout->lpos_begin > layout->lpos_next ? layout->lpos_begin : layout->lpos_next);

	return layout->desc_state + layout->counter + 8u <= layout->desc_size &&
	       layout->desc_text + lpos_end <= layout->desc_size &&
	       layout->info_seq + 8u <= layout->info_size && layout->info_ts + 8u <= layout->info_size &&
	       layout->info_text_len + 4u <= layout->info_size;
}

/* A member of the struct that the pointer at @va points to, as a number of @width bytes. */
static bool read_number(const struct ram *ram, const struct vmcoreinfo *info, uint64_t va, size_t width,
			uint64_t *value)
{
	const void *bytes = vmcoreinfo_bytes(ram, info, va, width);

	*value = 0;
	if (bytes)
		memcpy(value, bytes, width);
	return bytes;
}

/* What is read of printk_ringbuffer, by two offsets: of a part of it, and of a member of that. */
enum ring_value { COUNT_BITS, DESCS, INFOS, SIZE_BITS, DATA, HEAD, TAIL, RING_VALUES };

#define OFFSET(field) (offsetof(struct printk_layout, field) / sizeof(uint16_t))

static const struct {
	uint8_t part, member, width;
} ring_rows[RING_VALUES] = {
	[COUNT_BITS] = {OFFSET(rb_desc_ring), OFFSET(ring_count_bits), 4},
	[DESCS] = {OFFSET(rb_desc_ring), OFFSET(ring_descs), 8},
	[INFOS] = {OFFSET(rb_desc_ring), OFFSET(ring_infos), 8},
	[SIZE_BITS] = {OFFSET(rb_text_data_ring), OFFSET(data_size_bits), 4},
	[DATA] = {OFFSET(rb_text_data_ring), OFFSET(data_data), 8},
	[HEAD] = {OFFSET(rb_desc_ring), OFFSET(ring_head), 8},
	[TAIL] = {OFFSET(rb_desc_ring), OFFSET(ring_tail), 8},
};

static enum lb_err read_ring(const struct ram *ram, const struct vmcoreinfo *info,
			     uint64_t value[RING_VALUES], struct diag *diag)
{
	const uint16_t *offset = (const uint16_t *)&info->printk;
	uint64_t rb;
	bool readable = read_number(ram, info, info->prb, 8, &rb);

	for (size_t i = 0; readable && i < RING_VALUES; i++) {
		uint64_t va = rb + offset[ring_rows[i].part] + offset[ring_rows[i].member];

		if (i >= HEAD) /* an atomic_long_t */
			va += info->printk.counter;
		readable = read_number(ram, info, va, ring_rows[i].width, &value[i]);
	}
	if (!readable)
		return diag_fail(diag, LB_ERANGE, "printk: the ring is not in RAM (prb 0x%" PRIx64 ")", rb);
	return LB_OK;
}

/* Where an array of @size bytes at @va begins, if all of it is readable. */
static bool place_array(const struct ram *ram, const struct vmcoreinfo *info, uint64_t va, uint64_t size,
			paddr_t *pa)
{
	return vmcoreinfo_translate(info, va, pa) == LB_OK && ram_bytes(ram, *pa, size);
}

enum lb_err printk_open(const struct ram *ram, const struct vmcoreinfo *info, struct printk_ring *ring,
			struct diag *diag)
{
	uint64_t value[RING_VALUES];
	enum lb_err err;

	if (!layout_is_sane(&info->printk))
		return diag_fail(diag, LB_EFORMAT, "printk: offsets outside their structs");
	err = read_ring(ram, info, value, diag);
	if (err)
		return err;
	if (!value[COUNT_BITS] || value[COUNT_BITS] > COUNT_BITS_MAX || value[SIZE_BITS] < 4 ||
	    value[SIZE_BITS] > SIZE_BITS_MAX)
		return diag_fail(diag, LB_EFORMAT,
				 "printk: a ring of 2^%" PRIu64 " records, 2^%" PRIu64 " bytes can not be",
				 value[COUNT_BITS], value[SIZE_BITS]);
	*ring = (struct printk_ring){
		.ram = ram,
		.layout = &info->printk,
		.count_bits = (unsigned)value[COUNT_BITS],
		.size_bits = (unsigned)value[SIZE_BITS],
		.head_id = value[HEAD] & ID_MASK,
		.tail_id = value[TAIL] & ID_MASK,
	};
	if (!place_array(ram, info, value[DESCS], (uint64_t)info->printk.desc_size << ring->count_bits,
			 &ring->descs) ||
	    !place_array(ram, info, value[INFOS], (uint64_t)info->printk.info_size << ring->count_bits,
			 &ring->infos) ||
	    !place_array(ram, info, value[DATA], UINT64_C(1) << ring->size_bits, &ring->data))
		return diag_fail(diag, LB_ERANGE, "printk: the ring's arrays are not in RAM");
	return LB_OK;
}

static const char *ring_bytes(const struct printk_ring *ring, paddr_t pa)
{
	return (const char *)(uintptr_t)(pa + ring->ram->offset);
}

/* The text of record @id, between positions @begin and @next, which count up for ever through the ring. */
static bool find_text(const struct printk_ring *ring, uint64_t id, uint64_t begin, uint64_t next,
		      struct printk_record *record)
{
	uint64_t size = UINT64_C(1) << ring->size_bits;
	uint64_t offset = begin & (size - 1);
	uint64_t length = next - begin;
	const char *block;

	if (begin & next & LPOS_DATALESS) {
		record->length = 0;
		return begin == LPOS_EMPTY_LINE && next == LPOS_EMPTY_LINE;
	}
	if ((begin | next) % BLOCK_HEAD)
		return false;
	/* A block that does not fit before the end lies at the start. */
	if ((begin + size) >> ring->size_bits == (next - 1) >> ring->size_bits) {
		offset = 0;
		length = next & (size - 1);
	}
	if (length < BLOCK_HEAD || !range_fits(offset, length, size))
		return false;
	block = ring_bytes(ring, ring->data + offset);
	record->text = block + BLOCK_HEAD;
	if (record->length > length - BLOCK_HEAD)
		record->length = length - BLOCK_HEAD;
	return load64(block) == id;
}

/* Read the record of @id; false when there is none, or none whole. */
static bool read_record(const struct printk_ring *ring, uint64_t id, struct printk_record *record)
{
	const struct printk_layout *layout = ring->layout;
	uint64_t mask = (UINT64_C(1) << ring->count_bits) - 1;
	const char *desc = ring_bytes(ring, ring->descs + (id & mask) * layout->desc_size);
	const char *info = ring_bytes(ring, ring->infos + (id & mask) * layout->info_size);
	const char *tail = info + layout->info_text_len;
	const char *lpos = desc + layout->desc_text;
	uint64_t state_var = load64(desc + layout->desc_state + layout->counter);
	unsigned state = (unsigned)(state_var >> STATE_SHIFT);
	uint16_t text_length;

	if ((state != DESC_COMMITTED && state != DESC_FINALIZED) || (state_var & ID_MASK) != id)
		return false;
	memcpy(&text_length, tail, sizeof(text_length));
	*record = (struct printk_record){
		.seq = load64(info + layout->info_seq),
		.ts_nsec = load64(info + layout->info_ts),
		.facility = (uint8_t)tail[INFO_FACILITY],
		.continued = tail[INFO_FLAGS] & FLAG_CONT,
		.ends_line = tail[INFO_FLAGS] & FLAG_NEWLINE,
		.text = "",
		.length = text_length,
	};
	/* Records are numbered from 0 in slot 0. */
	return (record->seq & mask) == (id & mask) && find_text(ring, id, load64(lpos + layout->lpos_begin),
								load64(lpos + layout->lpos_next), record);
}

/* Back from the newest; at most once round the ring. */
static uint64_t steps_to_oldest(const struct printk_ring *ring)
{
	const uint64_t last = (UINT64_C(1) << ring->count_bits) - 1;
	const uint64_t steps = (ring->head_id - ring->tail_id) & ID_MASK;

	return steps < last ? steps : last;
}

size_t printk_visit_last(const struct printk_ring *ring, size_t count,
			 void (*visit)(const struct printk_record *record, void *context), void *context)
{
	const uint64_t oldest = steps_to_oldest(ring);
	size_t found = 0, visited = 0;
	struct printk_record record;
	uint64_t back;

	for (back = 0; back <= oldest && found < count && back - found < MISSES_MAX; back++)
		found += read_record(ring, (ring->head_id - back) & ID_MASK, &record);
	while (back-- > 0) {
		if (!read_record(ring, (ring->head_id - back) & ID_MASK, &record))
			continue;
		visit(&record, context);
		visited++;
	}
	return visited;
}

/* How the telling lines begin: kernel/reboot.c, kernel/kexec_core.c, kernel/panic.c, sysrq of 6.1 to 7.2. */
static const struct {
	const char *prefix;
	enum printk_ending ending;
} tells[] = {
	{"reboot: Restarting system", PRINTK_ENDING_RESTART},
	{"reboot: Power down", PRINTK_ENDING_POWER_OFF},
	{"reboot: System halted", PRINTK_ENDING_POWER_OFF},
	{"reboot: Power off not available: System halted", PRINTK_ENDING_POWER_OFF},
	{"kexec_core: Starting new kernel", PRINTK_ENDING_KEXEC},
	{"Kernel panic - not syncing", PRINTK_ENDING_PANIC},
	{"sysrq: Resetting", PRINTK_ENDING_FORCED},
	/* What was too hot did not power off, or restart, as the line before this one says. */
	{"reboot: Hardware protection shutdown failed", PRINTK_ENDING_FORCED},
	{"reboot: Hardware protection reboot failed", PRINTK_ENDING_FORCED},
};

static enum printk_ending tell(const struct printk_record *record)
{
	if (record->facility || record->continued)
		return PRINTK_ENDING_CUT;
	for (size_t i = 0; i < ARRAY_SIZE(tells); i++) {
		size_t length = strlen(tells[i].prefix);

		if (record->length >= length && !memcmp(record->text, tells[i].prefix, length))
			return tells[i].ending;
	}
	return PRINTK_ENDING_CUT;
}

struct printk_told printk_ending(const struct printk_ring *ring)
{
	const uint64_t oldest = steps_to_oldest(ring);
	struct printk_told told;
	size_t missed = 0;

	for (uint64_t back = 0; back <= oldest && missed < MISSES_MAX; back++) {
		if (!read_record(ring, (ring->head_id - back) & ID_MASK, &told.record)) {
			missed++;
			continue;
		}
		told.ending = tell(&told.record);
		if (told.ending != PRINTK_ENDING_CUT)
			return told;
	}
	told.ending = PRINTK_ENDING_CUT;
	return told;
}

static const struct {
	const char *name;
	bool orderly;
} endings[] = {
	[PRINTK_ENDING_RESTART] = {"restart", true}, [PRINTK_ENDING_POWER_OFF] = {"power-off", true},
	[PRINTK_ENDING_KEXEC] = {"kexec", true},     [PRINTK_ENDING_PANIC] = {"panic", false},
	[PRINTK_ENDING_FORCED] = {"forced", false},  [PRINTK_ENDING_CUT] = {"cut", false},
};

const char *printk_ending_name(enum printk_ending ending)
{
	return (size_t)ending < ARRAY_SIZE(endings) ? endings[ending].name : "unknown";
}

bool printk_ending_is_orderly(enum printk_ending ending)
{
	return (size_t)ending < ARRAY_SIZE(endings) && endings[ending].orderly;
}
