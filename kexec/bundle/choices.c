// SPDX-License-Identifier: BSD-2-Clause
/* Which configurations of a bundle may be started as the primary, in which order. */
#include "kexec/bundle/choices.h"

#include <string.h>

#include "kexec/bundle/board.h"
#include "kexec/bundle/policy.h"

/* In the order of @rank, behind its equals. What the table has no room for is counted. */
static void add(struct choices *choices, const char *name, size_t rank)
{
	size_t at = choices->count;

	while (at && choices->rank[at - 1] > rank)
		at--;
	if (choices->count == CHOICES_MAX)
		choices->more++;
	else
		choices->count++;
	for (size_t i = choices->count - 1; i > at; i--) {
		choices->name[i] = choices->name[i - 1];
		choices->rank[i] = choices->rank[i - 1];
	}
	if (at == CHOICES_MAX)
		return;
	choices->name[at] = name;
	choices->rank[at] = rank;
}

/*
 * As in U-Boot (fit_conf_find_compat, 2026.10) what is for this board comes before a default that is not, or
 * is less so, and the default one comes before its equals. Of the rest it is the first, whatever it is for.
 */
static void add_default(const struct bundle *bundle, const char *name, const struct machine *machine,
			struct choices *choices)
{
	size_t rank = BOARD_UNSAID;
	int node;

	if (!fit_find_child(&bundle->fit, bundle->fit.configurations, name, &node, NULL))
		rank = board_rank(bundle, node, machine);
	add(choices, name, rank == BOARD_OTHER ? BOARD_UNSAID : rank);
}

/* All but @first that are for the crash kernel, or all that are not. */
static void add_others(const struct bundle *bundle, const char *first, bool crash,
		       const struct machine *machine, struct choices *choices)
{
	const struct fit *fit = &bundle->fit;
	int node = fit_first_child(fit, fit->configurations);

	for (; node >= 0; node = fit_next_child(fit, node)) {
		const char *name = fit_node_name(fit, node);

		if (bundle_is_crash(fit, node) == crash && (!first || strcmp(name, first) != 0))
			add(choices, name, board_rank(bundle, node, machine));
	}
}

static enum lb_err read_fit(const struct bundle *bundle, const struct machine *machine,
			    struct choices *choices, struct diag *diag)
{
	const struct fit *fit = &bundle->fit;
	struct fit_property property = {.name = "default"};
	const char *first = NULL; /* Of several the first, as in U-Boot. */
	size_t count;
	enum lb_err err;

	if (fit->configurations < 0)
		return diag_fail(diag, LB_ENOENT, "bundle: it has no /configurations, so nothing to start");
	err = fit_read_properties(fit, fit->configurations, &property, 1, diag);
	if (!err)
		err = fit_read_strings(&property, "configurations", &first, &count, diag);
	if (err)
		return err;
	if (first)
		add_default(bundle, first, machine, choices);
	add_others(bundle, first, false, machine, choices);
	if (!choices->count)
		return diag_fail(diag, LB_ENOENT, "bundle: no primary");
	return LB_OK;
}

enum lb_err choices_read(const struct bundle *bundle, const struct machine *machine, struct choices *choices,
			 struct diag *diag)
{
	*choices = (struct choices){.count = 0};
	if (bundle->is_fit)
		return read_fit(bundle, machine, choices, diag);
	add(choices, "bare", 0);
	return LB_OK;
}

enum lb_err choices_read_crash(const struct bundle *bundle, const struct machine *machine,
			       struct choices *choices, struct diag *diag)
{
	*choices = (struct choices){.count = 0};
	if (bundle->fit.configurations >= 0)
		add_others(bundle, NULL, true, machine, choices);
	return choices->count ? LB_OK : diag_fail(diag, LB_ENOENT, "bundle: no crash configuration");
}

static bool is_name(const char *name, const char *wanted, size_t length)
{
	return strlen(name) == length && !memcmp(name, wanted, length);
}

size_t choices_find(const struct bundle *bundle, struct choices *choices, const char *name, size_t length)
{
	const struct fit *fit = &bundle->fit;
	int node;

	for (size_t i = 0; i < choices->count; i++) {
		if (is_name(choices->name[i], name, length))
			return i;
	}
	if (fit->configurations < 0)
		return CHOICES_NONE;
	for (node = fit_first_child(fit, fit->configurations); node >= 0; node = fit_next_child(fit, node)) {
		if (!is_name(fit_node_name(fit, node), name, length))
			continue;
		choices->name[CHOICES_MAX] = fit_node_name(fit, node);
		return CHOICES_MAX;
	}
	return CHOICES_NONE;
}

size_t choices_order(const struct choices *choices, size_t wanted, uint32_t demoted,
		     size_t order[CHOICES_MAX + 1])
{
	size_t count = 0;

	if (wanted != CHOICES_NONE)
		order[count++] = wanted;
	for (size_t i = 0; i < 2 * choices->count; i++) {
		const bool last = i >= choices->count;
		const size_t index = last ? i - choices->count : i;

		if (index != wanted && (demoted >> index & 1) == last)
			order[count++] = index;
	}
	return count;
}
