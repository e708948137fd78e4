/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dead kernel's log: Linux's printk ring, read where it lies, by the offsets in its VMCOREINFO.
 *
 * The ring may be torn or hostile: every step is bounded, every address checked, text is sanitised.
 * Shape: facts from kernel/printk/printk_ringbuffer.{h,c}; works from 5.10's lockless ring on (6.12 and 7.2
 * tested).
 */
#ifndef LIFEBOAT_KEXEC_DEAD_PRINTK_H
#define LIFEBOAT_KEXEC_DEAD_PRINTK_H

#include "kexec/dead/note.h"

/** An opened ring: where its parts are, all inside RAM. Borrows the ram and the info it was opened with. */
struct printk_ring {
	const struct ram *ram;
	const struct printk_layout *layout;
	unsigned count_bits, size_bits;
	paddr_t descs, infos, data;
	uint64_t head_id, tail_id; /* the newest and the oldest record; 62 bits, they wrap */
};

struct printk_record {
	uint64_t seq;
	uint64_t ts_nsec;
	uint8_t facility; /* 0 the kernel itself; userspace, through /dev/kmsg, can not claim to be that */
	bool continued;	  /* LOG_CONT: it was meant to go on where an earlier one ended */
	bool ends_line;	  /* LOG_NEWLINE: nothing was to go on behind it */
	const char *text; /* in RAM, not terminated, not sanitised; may be several lines */
	size_t length;
};

/**
 * Follow @info to the ring and check that all its parts lie inside RAM.
 *
 * Return: LB_OK; LB_EFORMAT the ring's numbers are impossible; LB_ERANGE its addresses lead outside RAM, or
 *         can not be translated (before 6.2 that is a ring of log_buf_len=). On error @ring is undefined.
 */
LB_MUST_CHECK enum lb_err printk_open(const struct ram *ram, const struct vmcoreinfo *info,
				      struct printk_ring *ring, struct diag *diag);

/**
 * Call @visit for the last @count readable records, oldest first.
 *
 * A record that was being written at death (state reserved) is skipped; committed ones are taken, finalized
 * or not. The search for readable ones goes no further back than 4096 unreadable ones.
 * @count  any; UINT32_MAX means all
 * @return how many were visited
 */
size_t printk_visit_last(const struct printk_ring *ring, size_t count,
			 void (*visit)(const struct printk_record *record, void *context), void *context);

/** How a kernel's life ended, as its own log tells (facts: what Linux prints on its way out). */
enum printk_ending {
	PRINTK_ENDING_RESTART,	 /* "reboot: Restarting system": orderly */
	PRINTK_ENDING_POWER_OFF, /* "reboot: Power down", "reboot: System halted" and the like: orderly */
	PRINTK_ENDING_KEXEC,	 /* "kexec_core: Starting new kernel": it left on its own feet: orderly */
	PRINTK_ENDING_PANIC,	 /* "Kernel panic - not syncing" */
	PRINTK_ENDING_FORCED,	 /* "sysrq: Resetting", an emergency restart: not orderly */
	PRINTK_ENDING_CUT,	 /* none of them: hang, watchdog, power glitch */
};

struct printk_told {
	enum printk_ending ending;
	struct printk_record record; /* the telling one; undefined for CUT */
};

/**
 * Find out how the kernel ended: the last telling record decides, however much was logged behind it (a panic
 * with panic_print= says a lot).
 *
 * Only the kernel's own records tell, not what userspace wrote to /dev/kmsg, and only by their beginning.
 */
struct printk_told printk_ending(const struct printk_ring *ring);

/** "panic", "restart", ... Never NULL. */
const char *printk_ending_name(enum printk_ending ending);

/** Was the end one that the kernel meant? */
bool printk_ending_is_orderly(enum printk_ending ending);

/**
 * Cut the first line off a record of several: @rest becomes what is left.
 *
 * @line  receives it, as a record of its own
 * Return: false when there is none left; a record without text is one empty line.
 */
bool printk_next_line(struct printk_record *rest, struct printk_record *line);

/**
 * Write the log as dmesg shows it: "[    1.234567] text" in whole lines, printable ASCII only ('?' for the
 * rest), a record of several as several, what was continued joined.
 * Where @room is too small the oldest are left out, and the first line says how many.
 *
 * @room  of @out, at least 256
 * @return bytes written; no NUL
 */
size_t printk_text(const struct printk_ring *ring, char *out, size_t room);

#endif
