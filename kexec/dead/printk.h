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
	bool continued;	  /* LOG_CONT: goes on where the record before ended */
	const char *text; /* in RAM, not terminated, not sanitised */
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
	PRINTK_ENDING_POWER_OFF, /* "reboot: Power down" or "reboot: System halted": orderly */
	PRINTK_ENDING_KEXEC,	 /* "kexec_core: Starting new kernel": it left on its own feet: orderly */
	PRINTK_ENDING_PANIC,	 /* "Kernel panic - not syncing" */
	PRINTK_ENDING_FORCED,	 /* "sysrq: Resetting": not orderly */
	PRINTK_ENDING_CUT,	 /* none of them: hang, watchdog, power glitch */
};

/** Records that printk_ending() looks at: what a panic says last (registers, stacks, modules) is shorter. */
#define PRINTK_ENDING_WINDOW 256

/**
 * Find out how the kernel ended: the last telling record decides, of the last PRINTK_ENDING_WINDOW.
 *
 * Only the kernel's own records tell, not what userspace wrote to /dev/kmsg.
 * @line  if not NULL, receives the telling record's text, sanitised, cut, NUL-terminated; empty for CUT
 */
enum printk_ending printk_ending(const struct printk_ring *ring, char *line, size_t line_size);

/** "panic", "restart", ... Never NULL. */
const char *printk_ending_name(enum printk_ending ending);

/** Was the end one that the kernel meant? */
bool printk_ending_is_orderly(enum printk_ending ending);

/**
 * Write a record as dmesg does, "[    1.234567] text", printable ASCII only ('?' for the rest),
 * NUL-terminated.
 *
 * @return the length, without NUL; at most @size - 1; 0 if @size is 0 (then nothing is written)
 */
size_t printk_format(const struct printk_record *record, char *out, size_t size);

#endif
