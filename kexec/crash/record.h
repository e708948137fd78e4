/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crash record: what the stage must know of its former life after a reset, in two slots in retained RAM.
 *
 * A write goes to the slot that is not the newest: its magic is taken away first and given back last, so a
 * reset at any instruction leaves a slot that is not there, and the older one still is. The checksum is for
 * what order can't help against: decayed RAM, and caches that nobody wrote back. The newest good slot is the
 * record. Layout in docs/abi.md.
 */
#ifndef LIFEBOAT_KEXEC_CRASH_RECORD_H
#define LIFEBOAT_KEXEC_CRASH_RECORD_H

#include "base/error.h"
#include "mm/region.h"

#define CRASH_RECORD_MAGIC   UINT64_C(0x64726f636572424c) /* "LBrecord" */
#define CRASH_RECORD_VERSION 4

enum crash_state {
	CRASH_EMPTY = 0,     /* nothing staged */
	CRASH_ARMED = 1,     /* a primary runs; an end that is not orderly is a crash */
	CRASH_DISARMED = 2,  /* userspace said that the next reset is meant */
	CRASH_CAPTURING = 3, /* a crash kernel was started; attempts says how often */
	CRASH_DONE = 4,	     /* the dump was taken, or given up */
};

/** One staged thing that a later life relies on, with the checksum that proves it unharmed. */
struct crash_piece {
	uint64_t pa;
	uint64_t size; /* 0 for a piece that is not there */
	uint32_t sum;  /* checksum() of its bytes; 0 for a piece without contents */
	uint32_t reserved;
};

/** What each piece of a record is. */
enum crash_piece_index {
	CRASH_PIECE_ELFCOREHDR, /* room for the core header, and a note of our own: without contents */
	CRASH_PIECE_FDT,
	CRASH_PIECE_INITRD,
	CRASH_PIECE_IMAGE, /* the first segment of the kernel's image; the others follow */
};

#define CRASH_PIECES	     6
#define CRASH_IMAGE_SEGMENTS (CRASH_PIECES - CRASH_PIECE_IMAGE)
#define CRASH_LOST_MAX	     16
#define CRASH_NAME_SIZE	     32

/** A bit of boot_demoted for each. */
#define CRASH_CONFIGS 32

/** The crash region begins at a multiple of this, and is as many of them. */
#define CRASH_REGION_ALIGN (2 * MIB)
#define CRASH_REGION_MIN   (100 * MIB) /* Debian's 6.12 needs 86 MiB of usable memory (measured) */
#define CRASH_PRIVATE_SIZE (4 * MIB)   /* at its end; before that is what is kept, then usable memory */

/**
 * The record's contents; fixed-size fields only, at fixed offsets (asserted in record.c).
 *
 * A record is sound if the state is known; the region is aligned, of CRASH_REGION_MIN at least without what
 * is kept and ends below 2^64, or is empty if the state is CRASH_EMPTY; lost_count and piece_count fit their
 * arrays; each lost range is valid and not empty; each piece that is there lies in usable memory, and so does
 * crash_entry unless it is 0; a piece that is not there has no address; crash_usable is valid; boot_config is
 * below CRASH_CONFIGS; boot_name ends with NUL; kept_room is aligned as the region, and what is kept lies in
 * it; reserved is 0. Array entries behind the counts may be anything: read pieces by crash_record_piece(),
 * which says that those are not there.
 */
struct crash_record {
	uint32_t state;	   /* enum crash_state */
	uint32_t attempts; /* crash kernels started since it was armed */
	uint64_t region_base, region_size;
	uint64_t map_hash;    /* of RAM as the FDT describes it: another machine's record is refused */
	uint64_t kernel_pa;   /* where the primary kernel was placed */
	uint64_t kernel_size; /* what it owns there, in any format; 0: none was started yet, or firmware */
	uint64_t crash_entry; /* where the crash kernel is entered */
	uint64_t boots;	      /* times that the stage came up with this record */
	uint32_t lost_count;
	uint32_t piece_count;
	struct region lost[CRASH_LOST_MAX];
	struct crash_piece piece[CRASH_PIECES];
	struct region crash_usable; /* of the crash kernel that was started last, if it is not the region's */
	/* The boot counter: kexec/crash/deaths.h. */
	uint64_t boot_bundle;		 /* which bundle it is about */
	uint32_t boot_config;		 /* which of its configurations was started last */
	uint32_t early_deaths;		 /* of that one, in a row */
	uint32_t boot_demoted;		 /* a bit for each configuration that died too often */
	uint32_t boot_confirmed;	 /* userspace said that this boot is a good one */
	uint32_t boot_limit;		 /* early deaths that demote; 0: the counter is off */
	uint32_t boot_seconds;		 /* what early is */
	char boot_name[CRASH_NAME_SIZE]; /* of boot_config, cut, printable ASCII */
	/* A crash kernel that userspace loaded: kexec/crash/kept.h. */
	uint64_t kept_room;	 /* bytes of the region that are for it, behind usable memory */
	struct crash_piece kept; /* its FIT in there; size 0: none is loaded */
};

/** Bytes of retained RAM that the two slots take: one page each, page-aligned. */
#define CRASH_RECORD_SIZE (2 * PAGE_SIZE)

/**
 * Read the newest good slot. A slot that is damaged, or intact but not sound, counts as not written.
 *
 * Changes nothing in @memory.
 * @memory  the two slots, CRASH_RECORD_SIZE bytes, page-aligned; any contents
 * @record  filled on LB_OK only
 * Return: LB_OK; LB_ENOENT no slot has the magic: never written, or lost before the first write was complete;
 *         LB_EFORMAT slots, but none with a good checksum and sound fields; LB_EUNSUPPORTED the newest is of
 *         another version (an older one of this version would be stale, so it does not count).
 */
LB_MUST_CHECK enum lb_err crash_record_read(const void *memory, struct crash_record *record,
					    struct diag *diag);

/**
 * Has a slot been written and then harmed? crash_record_read() makes do with the other one, if that is good.
 *
 * @memory  as for crash_record_read()
 */
bool crash_record_is_damaged(const void *memory);

/**
 * Make [@start, @start + @size) outlive a reset: write it back from the caches, and return when it is in RAM.
 *
 * Whole cache blocks around it may be written back, too; none may be thrown away.
 * @context  the caller's, as it was handed in beside this function
 */
typedef void crash_write_back(void *context, const void *start, size_t size);

/**
 * Write @record as the newest slot; a slot of another version counts with its generation.
 *
 * Whatever instruction of it is the last before a reset, crash_record_read() finds the old or the new record;
 * so it does whichever dirty cache blocks reached RAM by then, if @write_back tells the truth.
 * @memory      as for crash_record_read(); only the slot that is not the newest is written
 * @write_back  called three times, for parts of that slot; NULL if no dirty cache can be lost in a reset
 * @context     for @write_back
 * Return: LB_OK; LB_EINVAL @record is not sound: nothing was written.
 */
LB_MUST_CHECK enum lb_err crash_record_write(void *memory, const struct crash_record *record,
					     crash_write_back *write_back, void *context);

/**
 * A write that was made ready in good times, so that it costs a copy and no checksum in bad ones. Holds no
 * pointer.
 */
struct crash_record_ready {
	uint32_t slot;		 /* which one is written */
	uint32_t newest_crc32;	 /* of the other slot, the newest when this was made */
	uint64_t image[608 / 8]; /* what is written */
};

/**
 * Make @record ready to be written as the newest.
 *
 * @memory  as for crash_record_read(), with a good slot in it
 * Return: LB_OK; LB_EINVAL @record is not sound; LB_ENOENT there is no slot to follow.
 */
LB_MUST_CHECK enum lb_err crash_record_make_ready(const void *memory, const struct crash_record *record,
						  struct crash_record_ready *ready);

/**
 * Write what was made ready, as crash_record_write() would. Where somebody wrote the record since, it is that
 * function which does it, at its price.
 *
 * Runs before paging, too: no absolute addresses.
 */
void crash_record_write_ready(void *memory, const struct crash_record_ready *ready,
			      crash_write_back *write_back, void *context);

/** The record that was made ready. */
const struct crash_record *crash_record_of_ready(const struct crash_record_ready *ready);

/**
 * Has userspace loaded a crash kernel since @ready was made? Then what was made ready is about another one.
 *
 * Runs before paging, too: no absolute addresses.
 */
bool crash_record_was_loaded_since(const void *memory, const struct crash_record_ready *ready);

/** What map_hash must be on a machine with @ram: FNV-1a over base and size of its regions. */
uint64_t crash_hash_ram(const struct region_set *ram);

/** Make all of piece[] count, and none of it be there: nothing is staged until somebody fills them in. */
void crash_record_drop_pieces(struct crash_record *record);

/**
 * Where a piece is; size 0: it is not there, or piece_count says that its entry does not count.
 *
 * @index  enum crash_piece_index, or a further segment's; below CRASH_PIECES
 */
struct region crash_record_piece(const struct crash_record *record, size_t index);

/** Is there all that no crash kernel can do without: its entry, its FDT and its image? */
bool crash_record_has_kernel(const struct crash_record *record);

/** The word for a state in the log. Never NULL. */
const char *crash_state_name(uint32_t state);

#endif
