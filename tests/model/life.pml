/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a machine with an armed record: arm, die, judge, capture, die again; with resets between any two steps,
 * a slot of the record that decays, and a dead kernel's memory that can't be read.
 *
 * Judge and arming are the stage's own C (life.c). What is here is the world: RAM, who runs, what he leaves. The two
 * slots follow kexec/crash/record.c: a write takes the older slot away, fills it, gives it back. Checked are:
 *
 *   no armed crash is lost but by a stated give-up;  no end that was meant is taken for a crash;
 *   a crash leads to a capture or to a give-up after a bounded number of boots, and of tries.
 *
 * LIFE_MUTATION, a variable of the environment, breaks one thing, so that the test sees spin find it: 1 the record is armed once, not twice; 2 notes are wiped
 * before the record is new; 3 boots are not counted; 4 nobody notes that the primary was started; 5 there is one slot
 * only; 6 tries are not counted; 7 userspace disarms one slot only; 8 the new record is written once, not twice.
 */
#define EMPTY	  0 /* enum crash_state */
#define ARMED	  1
#define DISARMED  2
#define CAPTURING 3

#define NO_LOG	  0 /* enum life_ending */
#define NO_LINUX  1
#define CRASHED	  2
#define ORDERLY	  3
#define FORGED	  4

#define END	    0 /* enum life_step */
#define WRITE_EMPTY 1
#define WRITE_ARMED 2
#define WIPE_NOTES  3
#define WIPE_CALL   4
#define PREPARE	    5
#define MAKE_CALL   6

#define SAID_POLICY   3 /* enum life_said */
#define SAID_GIVEN_UP 4

c_decl {
\#include "kexec/crash/record.h"
\#include "tests/model/life.h"

_Static_assert(CRASH_EMPTY == EMPTY && CRASH_ARMED == ARMED && CRASH_DISARMED == DISARMED &&
		       CRASH_CAPTURING == CAPTURING, "the record's states");
_Static_assert(LIFE_NO_LOG == NO_LOG && LIFE_NO_LINUX == NO_LINUX && LIFE_CRASHED == CRASHED &&
		       LIFE_ORDERLY == ORDERLY && LIFE_ORDERLY_FORGED == FORGED, "how a life ended");
_Static_assert(LIFE_END == END && LIFE_WRITE_EMPTY == WRITE_EMPTY && LIFE_WRITE_ARMED == WRITE_ARMED &&
		       LIFE_WIPE_NOTES == WIPE_NOTES && LIFE_WIPE_CALL == WIPE_CALL &&
		       LIFE_PREPARE == PREPARE && LIFE_MAKE_CALL == MAKE_CALL, "steps of arming");
_Static_assert(LIFE_SAID_POLICY == SAID_POLICY && LIFE_SAID_GIVEN_UP == SAID_GIVEN_UP, "what was said");
}

#define SPARE  2 /* judge.c's JUDGE_SPARE */
#define RESETS 2 /* from outside, at the worst moments */
#define DECAYS 1 /* a slot that RAM forgets in a reset; not the only one, which a torn write leaves */

/* ---- Retained RAM ---- */

typedef slot_t {
	bool there;
	byte state, attempts, boots
};
slot_t slot[2];
byte newest; /* which was written last */
byte ending = NO_LOG, crash_ending = NO_LOG;
bool called, started;

/* ---- What the bundle says ---- */

byte most_attempts;
bool capture_unknown;

/* ---- What the stage knows in one life ---- */

byte before; /* the step before this one */
byte cur; /* the slot that is read; 2: there is none */
byte state, attempts, boots, target, at, step;
bool died, writes;
byte said, new_boots;

/* ---- What only the world knows ---- */

bool pending;  /* an armed primary has died, and there was neither capture nor give-up */
bool captured; /* there was; as long as a record tells of it */
bool maybe;    /* nobody can tell whether the last end was meant */
byte since;    /* boots without a new record */
byte tries;    /* crash kernels started in them */
byte resets = RESETS, decays = DECAYS;
byte mutation;

#define BOUND (most_attempts + SPARE + 1 + RESETS + 2 * DECAYS)

#define RESET_HERE if :: true :: resets > 0 -> resets--; goto reset fi

inline find_newest()
{
	if
	:: slot[newest].there -> cur = newest
	:: !slot[newest].there && slot[1 - newest].there -> cur = 1 - newest
	:: else -> cur = 2
	fi
}

/* A write of the record: three steps, the older slot. */
inline write(new_state, new_attempts, boots_now)
{
	d_step {
		find_newest();
		target = (cur == 0 -> 1 : 0);
		if
		:: mutation == 5 && cur < 2 -> target = cur /* one slot only */
		:: else
		fi;
		slot[target].there = false
	};
	RESET_HERE;
	d_step {
		slot[target].state = new_state;
		slot[target].attempts = new_attempts;
		slot[target].boots = boots_now
	};
	RESET_HERE;
	d_step {
		printf("slot %d: state %d, attempts %d, boots %d\n", target, new_state, new_attempts, boots_now);
		slot[target].there = true;
		newest = target;
		if
		:: new_state == EMPTY -> /* begun anew: the crash is dealt with */
			captured = captured || pending || maybe; pending = false; maybe = false; since = 0;
			tries = 0
		:: new_state == ARMED -> captured = false
		:: else
		fi
	};
	RESET_HERE
}

inline ask_judge()
{
	c_code {
		struct life_case what = {
			now.state, now.attempts, now.boots, now.ending, now.crash_ending,
			now.called, now.started, now.most_attempts, now.capture_unknown};
		struct life_verdict verdict = life_judge(what);
		now.died = verdict.died;
		now.writes = verdict.writes;
		now.new_boots = verdict.boots;
		now.said = verdict.said;
	};
	if
	:: mutation == 3 && writes -> new_boots = boots /* it does not count */
	:: else
	fi
}

inline decay(which)
{
	decays--;
	slot[which].there = false;
	printf("slot %d is forgotten\n", which);
	maybe = maybe || captured /* a dump may be taken twice then */
}

proctype machine()
{
	/* Each bundle: */
	if :: most_attempts = 1 :: most_attempts = 2 fi;
	if :: capture_unknown = true :: capture_unknown = false fi;
	goto boot;

reset:
	printf("a reset; the log %d, the crash kernel's %d, called %d, started %d\n", ending, crash_ending, called, started);
	if
	:: true
	:: decays > 0 && slot[0].there && slot[1].there -> decay(0)
	:: decays > 0 && slot[0].there && slot[1].there -> decay(1)
	fi;

boot:
	since++;
	assert(since <= BOUND);
	d_step {
		find_newest();
		died = false; writes = false; said = 0;
		if
		:: cur < 2 -> state = slot[cur].state; attempts = slot[cur].attempts; boots = slot[cur].boots
		:: else -> state = EMPTY; attempts = 0; boots = 0
		fi
	};
	ask_judge();
	printf("state %d, attempts %d, boots %d: died %d, said %d\n", state, attempts, boots, died, said);
	if
	:: writes ->
		write(state, attempts, new_boots);
		boots = new_boots;
		if
		:: true
		:: goto reset /* reading what the dead left: a fault, and each time */
		fi
	:: else
	fi;
	if
	:: died -> assert(pending || maybe); goto capture
	:: else -> assert(!pending || said == SAID_POLICY || said == SAID_GIVEN_UP)
	fi;

normal:
	at = 0;
	before = END;
	if :: mutation == 2 -> ending = NO_LOG; RESET_HERE :: else fi;
	do
	:: c_code { now.step = life_arming()[now.at]; };
		at++;
		if
		:: step == before && (mutation == 1 && step == WRITE_ARMED || mutation == 8 && step == WRITE_EMPTY)
		:: else ->
			if
			:: step == WRITE_EMPTY -> write(EMPTY, 0, 0)
			:: step == WRITE_ARMED -> write(ARMED, 0, 0)
			:: step == WIPE_NOTES -> ending = NO_LOG; RESET_HERE
			:: step == WIPE_CALL -> called = false; started = false; RESET_HERE
			:: step == PREPARE -> crash_ending = NO_LOG; RESET_HERE
			:: step == MAKE_CALL -> called = false; started = false; RESET_HERE
			:: step == END -> break
			fi
		fi;
		before = step
	od;
	if :: mutation != 4 -> started = true :: else fi;

	/* The primary runs. */
	if
	:: ending = ORDERLY; goto reset
	:: ending = FORGED; maybe = true; goto reset
	:: ending = CRASHED; pending = true; goto reset
	:: ending = NO_LOG; pending = true; goto reset
	:: ending = NO_LINUX; pending = true; goto reset
	:: called = true; pending = true; if :: ending = NO_LOG :: ending = CRASHED fi; goto reset
	:: called = true; pending = true; write(CAPTURING, 1, 0); goto crash_kernel
	:: maybe = true; write(DISARMED, 0, 0);
		if :: mutation != 7 -> write(DISARMED, 0, 0) :: else fi;
		maybe = false;
		if :: ending = ORDERLY :: ending = NO_LOG fi; goto reset
	fi;

capture:
	attempts = attempts + (mutation == 6 -> 0 : 1);
	write(CAPTURING, attempts, boots);
	if
	:: true
	:: goto normal /* nothing to start: the stage says so, and boots */
	fi;

crash_kernel:
	tries++;
	assert(tries <= most_attempts + DECAYS); /* (a count that is forgotten is counted again) */
	if
	:: crash_ending = ORDERLY; pending = false; captured = true; goto reset
	:: crash_ending = CRASHED; goto reset
	fi
}

init {
	c_code {
		const char *wanted = getenv("LIFE_MUTATION");

		now.mutation = wanted ? atoi(wanted) : 0;
	};
	run machine()
}
