/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stage's own judge and its own arming, asked by the model: what does this life do with that record,
 * and in which order does it make the next one ready? life.pml has the rest of the world.
 */
#ifndef LIFEBOAT_TESTS_MODEL_LIFE_H
#define LIFEBOAT_TESTS_MODEL_LIFE_H

#include <stdint.h>

/** What is left of the one who ran last: his log, as the stage finds it. */
enum life_ending {
	LIFE_NO_LOG,   /* none; but a Linux lies where the primary was put */
	LIFE_NO_LINUX, /* none, and no Linux */
	LIFE_CRASHED,
	LIFE_ORDERLY,
	LIFE_ORDERLY_FORGED, /* an orderly end in a log that is not anchored */
};

/** What the stage has said about why there is no capture. */
enum life_said {
	LIFE_SAID_NOTHING,
	LIFE_SAID_ORDERLY,
	LIFE_SAID_NOT_STARTED,
	LIFE_SAID_POLICY,   /* lifeboat,unknown-end says boot */
	LIFE_SAID_GIVEN_UP, /* too many boots, or too many tries */
};

/** A record as the model has it, and all that the judge looks at. */
struct life_case {
	uint8_t state, attempts, boots; /* of the record */
	uint8_t ending;			/* enum life_ending, of the primary */
	uint8_t crash_ending;		/* of the crash kernel that ran last: LIFE_ORDERLY or another */
	uint8_t called, started;	/* in the call area */
	uint8_t most_attempts, capture_unknown;
};

struct life_verdict {
	uint8_t died;	/* a crash kernel must be started */
	uint8_t writes; /* did it write the record, before it looked? */
	uint8_t boots;	/* of what it wrote */
	uint8_t said;	/* enum life_said */
};

/**
 * Ask judge(). It must count before it looks, write once at most, and change nothing else: else this
 * aborts.
 */
struct life_verdict life_judge(struct life_case what);

/** One step of a normal boot that reaches retained memory. */
enum life_step {
	LIFE_END,
	LIFE_WRITE_EMPTY, /* the record: empty, or done */
	LIFE_WRITE_ARMED,
	LIFE_WIPE_NOTES,
	LIFE_WIPE_CALL, /* the caller's mark, and "started" */
	LIFE_PREPARE,
	LIFE_MAKE_CALL, /* the call area, made anew */
};

#define LIFE_STEPS_MAX 16

/** The steps of arm_prepare() and arm_record(), in their order; LIFE_END behind the last. */
const uint8_t *life_arming(void);

#endif
