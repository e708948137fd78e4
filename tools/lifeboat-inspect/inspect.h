/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in a bundle, and what the stage would say to it, as JSON. */
#ifndef LIFEBOAT_INSPECT_INSPECT_H
#define LIFEBOAT_INSPECT_INSPECT_H

#include "kexec/bundle/bundle.h"
#include "kexec/check/signature.h"
#include "tools/lifeboat-inspect/json.h"

struct inspection {
	struct bundle bundle;	    /* opened by inspect_bundle(): the caller sets data and size */
	const struct keyring *ring; /* NULL: no keys */
	struct json json;
	bool all_good; /* every hash and every configuration, so far */
};

/** Describe the bundle, into @i->json. */
void inspect_bundle(struct inspection *i);

#endif
