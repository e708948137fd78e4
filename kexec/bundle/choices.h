/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which configurations of a bundle may be started as the primary, in which order.
 *
 * Names only: whether one of them is any good is kexec/bundle/bundle.h's to say.
 */
#ifndef LIFEBOAT_KEXEC_BUNDLE_CHOICES_H
#define LIFEBOAT_KEXEC_BUNDLE_CHOICES_H

#include "fdt/machine.h"
#include "kexec/bundle/bundle.h"

/** Configurations that are tried in turn. More are only started when they are asked for by name. */
#define CHOICES_MAX 9

/** Nobody asked for one. */
#define CHOICES_NONE SIZE_MAX

struct choices {
	/*
	 * Those for this board, then the others; each time the default one first, then as they stand in
	 * the bundle. One more is for choices_find(). They come from outside, and are the bundle's own
	 * bytes: good until a payload is put in its place, which may be over them.
	 */
	const char *name[CHOICES_MAX + 1];
	size_t rank[CHOICES_MAX]; /* by which they are sorted: board_rank()'s, but for the default one */
	size_t count;
	size_t more; /* that found no room in the table */
};

/**
 * Read them. A configuration for the crash kernel is none of them, unless `default` names it.
 *
 * A bare payload is the one choice, "bare".
 * @machine  that they should be for
 * @choices  filled whole on LB_OK, undefined otherwise
 * Return: LB_OK; LB_ENOENT there is nothing that could be started; LB_EFORMAT `default` is damaged, or there
 *         twice.
 */
LB_MUST_CHECK enum lb_err choices_read(const struct bundle *bundle, const struct machine *machine,
				       struct choices *choices, struct diag *diag);

/**
 * Read those for the crash kernel, in the same order: named "crash", or with lifeboat,role = "crash".
 *
 * Return: LB_OK; LB_ENOENT there is none, as in a bare payload.
 */
LB_MUST_CHECK enum lb_err choices_read_crash(const struct bundle *bundle, const struct machine *machine,
					     struct choices *choices, struct diag *diag);

/**
 * The index of the configuration that is called [@name, @name + @length); CHOICES_NONE if the bundle has
 * none.
 *
 * Any configuration can be found, a crash kernel's and one beyond the table, too: that becomes
 * name[CHOICES_MAX].
 */
size_t choices_find(const struct bundle *bundle, struct choices *choices, const char *name, size_t length);

/**
 * In which order to try: @wanted, if somebody asked, then those that are not demoted, then the demoted.
 *
 * @demoted  a bit for each index
 * @order    receives indices, each once
 * Return: how many.
 */
size_t choices_order(const struct choices *choices, size_t wanted, uint32_t demoted,
		     size_t order[CHOICES_MAX + 1]);

#endif
