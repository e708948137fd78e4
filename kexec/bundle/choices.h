/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which configurations of a bundle may be started as the primary, in which order, and what the bundle says of that.
 *
 * Policy only: whether one of them is any good is kexec/bundle/bundle.c's to say.
 */
#ifndef LIFEBOAT_KEXEC_BUNDLE_CHOICES_H
#define LIFEBOAT_KEXEC_BUNDLE_CHOICES_H

#include "base/error.h"
#include "base/types.h"

/** Configurations that are tried in turn. More are only started when they are asked for by name. */
#define CHOICES_MAX 9

/** Nobody asked for one. */
#define CHOICES_NONE SIZE_MAX

struct choices {
	/* The default one, then the others as they stand in the bundle; one more is for choices_find(). Point into
	 * the bundle, and are from outside. */
	const char *name[CHOICES_MAX + 1];
	size_t count;
	size_t more;		 /* that found no room in the table */
	bool reset_when_all_bad; /* lifeboat,all-bad */
};

/**
 * Read them. A configuration for the crash kernel is none of them, unless `default` names it.
 *
 * @data     a FIT, 8-byte aligned, @size bytes; or a bare payload, which is the one choice, "bare"
 * @choices  filled whole on LB_OK, undefined otherwise
 * Return: LB_OK; LB_ENOENT there is nothing that could be started; LB_EFORMAT the FIT is damaged.
 */
LB_MUST_CHECK enum lb_err choices_read(const void *data, uint64_t size, struct choices *choices,
				       struct diag *diag);

/**
 * The index of the configuration that is called [@name, @name + @length); CHOICES_NONE if the bundle has none.
 *
 * Any configuration can be found, a crash kernel's and one beyond the table, too: that becomes name[CHOICES_MAX].
 */
size_t choices_find(const void *data, uint64_t size, struct choices *choices, const char *name,
		    size_t length);

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
