// SPDX-License-Identifier: BSD-2-Clause
/* In which order the bundle's configurations are tried, and what happens when none is good. */
#include <string.h>

#include "kexec/bundle_crash.h"
#include "kexec/bundle_image.h"

static enum lb_err find_default(const struct fit *fit, const char **name, struct diag *diag)
{
	struct fit_property property = {.name = "default"};
	enum lb_err err = fit_read_properties(fit, fit->configurations, &property, 1, diag);

	*name = NULL;
	return err ? err : bundle_read_string(&property, "configurations", name, diag);
}

/* The @skip-th configuration that is neither the default one nor the crash kernel's. */
static enum lb_err find_other(const struct fit *fit, const char *chosen, const char *crash, size_t skip,
			      const char **name)
{
	int node;

	for (node = fit_first_child(fit, fit->configurations); node >= 0; node = fit_next_child(fit, node)) {
		*name = fit_node_name(fit, node);
		if ((!chosen || strcmp(*name, chosen) != 0) && (!crash || strcmp(*name, crash) != 0) &&
		    !skip--)
			return LB_OK;
	}
	return LB_ENOENT;
}

enum lb_err bundle_candidate(const void *data, uint64_t size, size_t tried, const char **name,
			     struct diag *diag)
{
	struct bundle_crash crash = {.name = NULL};
	const char *chosen = NULL;
	struct fit fit;
	enum lb_err err = fit_open(data, size, &fit, diag);

	if (err == LB_OK && fit.configurations < 0)
		return diag_fail(diag, LB_ENOENT, "bundle: it has no /configurations, so nothing to start");
	if (err == LB_OK)
		err = find_default(&fit, &chosen, diag);
	if (err)
		return err;
	if (chosen && !tried) {
		*name = chosen;
		return LB_OK;
	}
	/* A crash configuration that can't be read is told apart by its name alone. */
	if (bundle_find_crash(data, size, &crash, NULL))
		crash.name = "crash";
	err = find_other(&fit, chosen, crash.name, tried - (chosen != NULL), name);
	if (err && !tried)
		return diag_fail(diag, err, "bundle: /configurations has nothing to start");
	return err;
}

bool bundle_wants_reset(const void *data, uint64_t size)
{
	struct fit_property property = {.name = "lifeboat,when-all-fail"};
	const char *value = NULL;
	struct fit fit;

	return !fit_open(data, size, &fit, NULL) && !fit_read_properties(&fit, 0, &property, 1, NULL) &&
	       !bundle_read_string(&property, "/", &value, NULL) && value && !strcmp(value, "reset");
}
