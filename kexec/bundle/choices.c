// SPDX-License-Identifier: BSD-2-Clause
/* Which configurations of a bundle may be started as the primary, in which order. */
#include "kexec/bundle/choices.h"

#include <string.h>

#include "kexec/bundle/policy.h"

static void add_others(const struct fit *fit, struct choices *choices)
{
	const char *first = choices->count ? choices->name[0] : "";
	int node = fit_first_child(fit, fit->configurations);

	for (; node >= 0; node = fit_next_child(fit, node)) {
		const char *name = fit_node_name(fit, node);

		if (bundle_is_crash(fit, node) || !strcmp(name, first))
			continue;
		if (choices->count < CHOICES_MAX)
			choices->name[choices->count++] = name;
		else
			choices->more++;
	}
}

static enum lb_err read_fit(const struct fit *fit, struct choices *choices, struct diag *diag)
{
	struct fit_property property = {.name = "default"};
	enum lb_err err;

	if (fit->configurations < 0)
		return diag_fail(diag, LB_ENOENT, "bundle: it has no /configurations, so nothing to start");
	err = fit_read_properties(fit, fit->configurations, &property, 1, diag);
	if (!err)
		err = fit_read_strings(&property, "configurations", &choices->name[0], &choices->count, diag);
	if (err)
		return err;
	choices->count = choices->count > 0; /* Of several the first, as in U-Boot. */
	add_others(fit, choices);
	if (!choices->count)
		return diag_fail(diag, LB_ENOENT, "bundle: no primary");
	return LB_OK;
}

enum lb_err choices_read(const struct bundle *bundle, struct choices *choices, struct diag *diag)
{
	*choices = (struct choices){.count = 0};
	if (bundle->is_fit)
		return read_fit(&bundle->fit, choices, diag);
	choices->name[choices->count++] = "bare";
	return LB_OK;
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
