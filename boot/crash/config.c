// SPDX-License-Identifier: BSD-2-Clause
/* Which crash configurations there are, and which one counts. */
#include "boot/crash/config.h"

#include "boot/load/trust.h"

enum lb_err config_list(const struct facts *facts, struct choices *choices)
{
	const struct source *source = facts->source;
	const enum lb_err err = source->err;

	if (err) {
		facts->log->diag = source->why;
		return err;
	}
	return choices_read_crash(&source->bundle, &facts->hw->machine, choices, &facts->log->diag);
}

enum lb_err config_find(const struct facts *facts, struct bundle_crash *config)
{
	struct choices choices;
	enum lb_err err = config_list(facts, &choices);

	if (err)
		return err;
	for (size_t i = 0; i < choices.count; i++) {
		err = trust_look_at(facts, choices.name[i]);
		if (!err)
			err = bundle_read_crash(&facts->source->bundle, choices.name[i], config,
						&facts->log->diag);
		if (!err)
			break;
	}
	return err;
}
