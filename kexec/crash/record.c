// SPDX-License-Identifier: BSD-2-Clause
/* The crash record in retained RAM: two slots, so that no reset can tear the only one. */
#include "kexec/crash/record.h"

#include <string.h>

#include "base/crc32.h"
#include "base/fnv.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "slots hold the structs as they are");

/*
 * A slot. All before the record is the same in every version, so that each version can tell whether a slot is
 * intact and which one is newer, whoever wrote it.
 */
struct slot {
	uint64_t magic;	     /* CRASH_RECORD_MAGIC, or else there is nothing here */
	uint32_t crc32;	     /* of what follows it, up to size; as zlib's crc32() */
	uint32_t size;	     /* bytes of the slot in use, from magic on */
	uint32_t version;    /* CRASH_RECORD_VERSION */
	uint32_t generation; /* one more than the slot's before it; wraps around */
	struct crash_record record;
};

#define CHECKED_FROM offsetof(struct slot, size)

#define ASSERT_AT(type, field, offset) \
	_Static_assert(offsetof(struct type, field) == (offset), "docs/abi.md says where " #field " is")
ASSERT_AT(slot, magic, 0x00);
ASSERT_AT(slot, crc32, 0x08);
ASSERT_AT(slot, size, 0x0c);
ASSERT_AT(slot, version, 0x10);
ASSERT_AT(slot, generation, 0x14);
ASSERT_AT(slot, record.state, 0x18);
ASSERT_AT(slot, record.attempts, 0x1c);
ASSERT_AT(slot, record.region_base, 0x20);
ASSERT_AT(slot, record.region_size, 0x28);
ASSERT_AT(slot, record.map_hash, 0x30);
ASSERT_AT(slot, record.kernel_pa, 0x38);
ASSERT_AT(slot, record.kernel_size, 0x40);
ASSERT_AT(slot, record.crash_entry, 0x48);
ASSERT_AT(slot, record.boots, 0x50);
ASSERT_AT(slot, record.lost_count, 0x58);
ASSERT_AT(slot, record.piece_count, 0x5c);
ASSERT_AT(slot, record.lost, 0x60);
ASSERT_AT(slot, record.piece, 0x160);
ASSERT_AT(slot, record.crash_usable, 0x1f0);
ASSERT_AT(slot, record.boot_bundle, 0x200);
ASSERT_AT(slot, record.boot_config, 0x208);
ASSERT_AT(slot, record.early_deaths, 0x20c);
ASSERT_AT(slot, record.boot_demoted, 0x210);
ASSERT_AT(slot, record.boot_confirmed, 0x214);
ASSERT_AT(slot, record.boot_limit, 0x218);
ASSERT_AT(slot, record.boot_seconds, 0x21c);
ASSERT_AT(slot, record.boot_name, 0x220);
ASSERT_AT(slot, record.kept_room, 0x240);
ASSERT_AT(slot, record.kept, 0x248);
ASSERT_AT(region, base, 0x00);
ASSERT_AT(region, size, 0x08);
ASSERT_AT(crash_piece, pa, 0x00);
ASSERT_AT(crash_piece, size, 0x08);
ASSERT_AT(crash_piece, sum, 0x10);
ASSERT_AT(crash_piece, reserved, 0x14);
_Static_assert(sizeof(struct region) == 0x10, "no padding");
_Static_assert(sizeof(struct crash_piece) == 0x18, "no padding");
_Static_assert(sizeof(struct slot) == 0x260, "no padding");
_Static_assert(sizeof(struct slot) <= PAGE_SIZE, "a slot is a page");

/* @size must be at least CHECKED_FROM. */
static uint32_t slot_crc(const struct slot *slot, size_t size)
{
	return crc32_update(0, (const uint8_t *)slot + CHECKED_FROM, size - CHECKED_FROM);
}

static bool region_is_sound(const struct crash_record *record)
{
	const uint64_t size = record->region_size, kept = record->kept_room;

	return is_aligned(record->region_base | size | kept, CRASH_REGION_ALIGN) &&
	       range_is_valid(record->region_base, size) && kept <= size &&
	       (size - kept >= CRASH_REGION_MIN || (!size && record->state == CRASH_EMPTY));
}

/* Of a record whose region is sound, as is what follows. */
static struct region usable_of(const struct crash_record *record)
{
	const uint64_t taken = CRASH_PRIVATE_SIZE + record->kept_room;

	return (struct region){record->region_base, record->region_size ? record->region_size - taken : 0};
}

static struct region kept_of(const struct crash_record *record)
{
	return (struct region){region_end(usable_of(record)), record->kept_room};
}

static bool lost_is_sound(const struct region *lost)
{
	return lost->size && range_is_valid(lost->base, lost->size);
}

static bool piece_is_sound(const struct crash_piece *piece, struct region room)
{
	const struct region where = {piece->pa, piece->size};

	if (!piece->size)
		return !piece->reserved && !piece->pa;
	return !piece->reserved && region_contains(room, where);
}

static bool record_is_sound(const struct crash_record *record)
{
	if (record->state > CRASH_DONE || !region_is_sound(record) || record->lost_count > CRASH_LOST_MAX ||
	    record->piece_count > CRASH_PIECES)
		return false;
	if (!range_is_valid(record->crash_usable.base, record->crash_usable.size) ||
	    record->boot_config >= CRASH_CONFIGS || record->boot_name[CRASH_NAME_SIZE - 1])
		return false;
	if (record->crash_entry &&
	    !region_contains(usable_of(record), (struct region){record->crash_entry, 1}))
		return false;
	for (uint32_t i = 0; i < record->lost_count; i++) {
		if (!lost_is_sound(&record->lost[i]))
			return false;
	}
	for (uint32_t i = 0; i < record->piece_count; i++) {
		if (!piece_is_sound(&record->piece[i], usable_of(record)))
			return false;
	}
	return piece_is_sound(&record->kept, kept_of(record));
}

enum slot_health { SLOT_VACANT, SLOT_DAMAGED, SLOT_UNSOUND, SLOT_FOREIGN, SLOT_GOOD };

static const char *const health_names[] = {
	[SLOT_VACANT] = "vacant",     [SLOT_DAMAGED] = "damaged",
	[SLOT_UNSOUND] = "not sound", [SLOT_FOREIGN] = "another version's",
	[SLOT_GOOD] = "good",
};

static enum slot_health slot_health(const struct slot *slot)
{
	if (slot->magic != CRASH_RECORD_MAGIC)
		return SLOT_VACANT;
	if (slot->size < offsetof(struct slot, record) || slot->size > PAGE_SIZE ||
	    slot->crc32 != slot_crc(slot, slot->size))
		return SLOT_DAMAGED;
	if (slot->version != CRASH_RECORD_VERSION)
		return SLOT_FOREIGN;
	return slot->size == sizeof(*slot) && record_is_sound(&slot->record) ? SLOT_GOOD : SLOT_UNSOUND;
}

/* Both slots, judged. */
struct slots {
	const struct slot *slot[2];
	enum slot_health health[2];
	int newest; /* index of the newest intact one; -1 if there is none */
};

static const struct slot *slot_of(const void *memory, unsigned index)
{
	return (const void *)((const uint8_t *)memory + index * PAGE_SIZE);
}

static struct slots look(const void *memory)
{
	struct slots slots = {.slot = {slot_of(memory, 0), slot_of(memory, 1)}};
	bool intact[2];

	for (int i = 0; i < 2; i++) {
		slots.health[i] = slot_health(slots.slot[i]);
		intact[i] = slots.health[i] >= SLOT_FOREIGN;
	}
	if (intact[0] && intact[1]) /* Generations wrap around. Two equal ones were never written: slot 0. */
		slots.newest = (int32_t)(slots.slot[1]->generation - slots.slot[0]->generation) > 0;
	else
		slots.newest = intact[0] ? 0 : intact[1] ? 1 : -1;
	return slots;
}

enum lb_err crash_record_read(const void *memory, struct crash_record *record, struct diag *diag)
{
	struct slots slots = look(memory);

	if (slots.newest < 0 && slots.health[0] == SLOT_VACANT && slots.health[1] == SLOT_VACANT)
		return diag_fail(diag, LB_ENOENT, "crash record: there is none");
	if (slots.newest < 0)
		return diag_fail(diag, LB_EFORMAT,
				 "crash record: none to trust: slot 0 is %s, slot 1 is %s: it begins anew",
				 health_names[slots.health[0]], health_names[slots.health[1]]);
	if (slots.health[slots.newest] == SLOT_FOREIGN)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "crash record: it is of version %u, this lifeboat's is %u: it begins anew",
				 (unsigned)slots.slot[slots.newest]->version, CRASH_RECORD_VERSION);
	*record = slots.slot[slots.newest]->record;
	return LB_OK;
}

bool crash_record_is_damaged(const void *memory)
{
	const struct slots slots = look(memory);

	return slots.health[0] == SLOT_DAMAGED || slots.health[1] == SLOT_DAMAGED;
}

/* The caller's way to RAM. */
struct hook {
	crash_write_back *write_back; /* NULL: there is no need for one */
	void *context;
};

/*
 * No store that follows may reach RAM before those that came before. The fence is for the compiler and for
 * harts, the hook for caches; a fence behind it, too, in case that the hook's last instruction only began it.
 */
static void settle(const void *start, size_t size, const struct hook *hook)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (hook->write_back)
		hook->write_back(hook->context, start, size);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* volatile: one store of a whole doubleword, there and then. */
static void set_magic(struct slot *slot, uint64_t magic, const struct hook *hook)
{
	*(volatile uint64_t *)&slot->magic = magic;
	settle(&slot->magic, sizeof(slot->magic), hook);
}

/* Put @image into @slot, which is not there from the first store to the last. */
static void replace_slot(struct slot *slot, const struct slot *image, const struct hook *hook)
{
	const size_t behind = offsetof(struct slot, crc32);

	set_magic(slot, 0, hook);
	memcpy((uint8_t *)slot + behind, (const uint8_t *)image + behind, sizeof(*image) - behind);
	settle((uint8_t *)slot + behind, sizeof(*image) - behind, hook);
	set_magic(slot, CRASH_RECORD_MAGIC, hook);
}

/* The slot that is written next: not the newest one. */
static int next_slot(const struct slots *slots)
{
	return slots->newest == 0;
}

static void make_image(const struct slots *slots, const struct crash_record *record, struct slot *image)
{
	*image = (struct slot){
		.magic = CRASH_RECORD_MAGIC,
		.size = sizeof(*image),
		.version = CRASH_RECORD_VERSION,
		.generation = slots->newest < 0 ? 1 : slots->slot[slots->newest]->generation + 1,
		.record = *record,
	};
	image->crc32 = slot_crc(image, sizeof(*image));
}

static struct slot *slot_at(void *memory, unsigned index)
{
	return (void *)((uint8_t *)memory + index * PAGE_SIZE);
}

enum lb_err crash_record_write(void *memory, const struct crash_record *record, crash_write_back *write_back,
			       void *context)
{
	struct slots slots = look(memory);
	struct slot image;

	if (!record_is_sound(record))
		return LB_EINVAL;
	make_image(&slots, record, &image);
	replace_slot(slot_at(memory, (unsigned)next_slot(&slots)), &image,
		     &(struct hook){write_back, context});
	return LB_OK;
}

/* ---- A write in two halves ---- */

_Static_assert(sizeof(((struct crash_record_ready *)0)->image) == sizeof(struct slot), "one slot");

static const struct slot *ready_image(const struct crash_record_ready *ready)
{
	return (const void *)ready->image;
}

enum lb_err crash_record_make_ready(const void *memory, const struct crash_record *record,
				    struct crash_record_ready *ready)
{
	struct slots slots = look(memory);

	if (!record_is_sound(record))
		return LB_EINVAL;
	if (slots.newest < 0)
		return LB_ENOENT;
	ready->slot = (uint32_t)next_slot(&slots);
	ready->newest_crc32 = slots.slot[slots.newest]->crc32;
	make_image(&slots, record, (struct slot *)ready->image);
	return LB_OK;
}

/* Is what it was to follow still there, so that it may be written where it was to be? */
static bool is_next(const void *memory, const struct crash_record_ready *ready)
{
	const struct slot *newest = slot_of(memory, !ready->slot);

	return newest->magic == CRASH_RECORD_MAGIC &&
	       newest->generation + 1 == ready_image(ready)->generation &&
	       newest->crc32 == ready->newest_crc32;
}

void crash_record_write_ready(void *memory, const struct crash_record_ready *ready,
			      crash_write_back *write_back, void *context)
{
	const struct slot *image = ready_image(ready);

	if (is_next(memory, ready))
		replace_slot(slot_at(memory, ready->slot), image, &(struct hook){write_back, context});
	else /* It is sound, or it would not be ready. */
		(void)!crash_record_write(memory, &image->record, write_back, context);
}

bool crash_record_was_loaded_since(const void *memory, const struct crash_record_ready *ready)
{
	const struct slot *next = slot_of(memory, ready->slot);
	struct slots slots;

	if (is_next(memory, ready) &&
	    (next->magic != CRASH_RECORD_MAGIC || next->generation != ready_image(ready)->generation))
		return false;
	slots = look(memory);
	return slots.newest >= 0 && slots.health[slots.newest] == SLOT_GOOD &&
	       slots.slot[slots.newest]->record.kept.size;
}

const struct crash_record *crash_record_of_ready(const struct crash_record_ready *ready)
{
	return &ready_image(ready)->record;
}

uint64_t crash_hash_ram(const struct region_set *ram)
{
	return fnv_update_bytes(FNV_BASIS, ram->region, ram->count * sizeof(ram->region[0]));
}

void crash_record_drop_pieces(struct crash_record *record)
{
	memset(record->piece, 0, sizeof(record->piece));
	record->piece_count = CRASH_PIECES;
}

struct region crash_record_piece(const struct crash_record *record, size_t index)
{
	const struct crash_piece *piece = &record->piece[index];

	return index < record->piece_count ? (struct region){piece->pa, piece->size} : (struct region){0, 0};
}

bool crash_record_has_kernel(const struct crash_record *record)
{
	return record->crash_entry && crash_record_piece(record, CRASH_PIECE_FDT).size &&
	       crash_record_piece(record, CRASH_PIECE_IMAGE).size;
}

const char *crash_state_name(uint32_t state)
{
	static const char *const names[] = {
		[CRASH_EMPTY] = "empty",	 [CRASH_ARMED] = "armed", [CRASH_DISARMED] = "disarmed",
		[CRASH_CAPTURING] = "capturing", [CRASH_DONE] = "done",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}
