// SPDX-License-Identifier: BSD-2-Clause
/* What a bundle wants beside its payloads, by properties of our own. */
#include "kexec/bundle/policy.h"

#include <inttypes.h>
#include <string.h>

#include "base/fnv.h"
#include "kexec/bundle/firmware.h"

#define CRASH_NAME	 "crash"
#define ATTEMPTS_DEFAULT 1
#define ATTEMPTS_MAX	 16
#define LIMIT_MAX	 100
#define SECONDS_DEFAULT	 60
#define SECONDS_MAX	 3600
#define ID_BYTES	 4096 /* of the bundle: mkimage's timestamp is in them */

/* ---- The crash configuration ---- */

enum crash_property {
	CRASH_KERNEL,
	CRASH_REGION_SIZE,
	CRASH_KEPT_SIZE,
	CRASH_REGION_FORM,
	CRASH_ATTEMPTS,
	CRASH_UNKNOWN_END,
	CRASH_PROPERTIES,
};

struct crash_node {
	const char *name;
	struct fit_property property[CRASH_PROPERTIES];
};

static enum lb_err read_node(const struct fit *fit, int node, struct crash_node *out, struct diag *diag)
{
	*out = (struct crash_node){
		.name = fit_node_name(fit, node),
		.property =
			{
				[CRASH_KERNEL] = {.name = "kernel"},
				[CRASH_REGION_SIZE] = {.name = "lifeboat,region-size"},
				[CRASH_KEPT_SIZE] = {.name = "lifeboat,kept-size"},
				[CRASH_REGION_FORM] = {.name = "lifeboat,region"},
				[CRASH_ATTEMPTS] = {.name = "lifeboat,attempts"},
				[CRASH_UNKNOWN_END] = {.name = "lifeboat,unknown-end"},
			},
	};
	return fit_read_properties(fit, node, out->property, CRASH_PROPERTIES, diag);
}

bool bundle_is_crash(const struct fit *fit, int node)
{
	struct fit_property role = {.name = "lifeboat,role"};

	return !strcmp(fit_node_name(fit, node), CRASH_NAME) ||
	       (!fit_read_properties(fit, node, &role, 1, NULL) && fit_property_is(&role, CRASH_NAME));
}

static enum lb_err read_attempts(const struct crash_node *node, struct bundle_crash *crash, struct diag *diag)
{
	uint64_t attempts;
	enum lb_err err = fit_read_number(&node->property[CRASH_ATTEMPTS], node->name, &attempts, diag);

	if (err)
		return err;
	if (!node->property[CRASH_ATTEMPTS].value)
		attempts = ATTEMPTS_DEFAULT;
	if (!attempts || attempts > ATTEMPTS_MAX)
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: '" FIT_NAME "' has lifeboat,attempts = %" PRIu64
				 "; 1 to %d make sense",
				 node->name, attempts, ATTEMPTS_MAX);
	crash->attempts = (uint32_t)attempts;
	return LB_OK;
}

static enum lb_err read_unknown_end(const struct crash_node *node, struct bundle_crash *crash,
				    struct diag *diag)
{
	const struct fit_property *property = &node->property[CRASH_UNKNOWN_END];

	crash->capture_unknown =
		property->value ? fit_property_is(property, "capture") : !crash->beside_firmware;
	if (property->value && !crash->capture_unknown && !fit_property_is(property, "boot"))
		return diag_fail(diag, LB_EFORMAT,
				 "bundle: '" FIT_NAME
				 "' has a lifeboat,unknown-end that is neither \"capture\" nor "
				 "\"boot\"",
				 node->name);
	return LB_OK;
}

/*
 * A crash kernel lies in usable memory, so that can be lent only if userspace brings it; and U-Boot hands on
 * a node's range, but not that it is reusable.
 */
static enum lb_err read_form(const struct crash_node *node, struct bundle_crash *crash, struct diag *diag)
{
	const struct fit_property *property = &node->property[CRASH_REGION_FORM];

	crash->lent = property->value;
	if (!crash->lent ||
	    (fit_property_is(property, "lent") && !crash->has_kernel && !crash->beside_firmware))
		return LB_OK;
	return diag_fail(diag, LB_EFORMAT,
			 "bundle: '" FIT_NAME
			 "' has a lifeboat,region that is not \"lent\", or a kernel or firmware beside it",
			 node->name);
}

enum lb_err bundle_read_crash(const struct bundle *bundle, const char *name, struct bundle_crash *crash,
			      struct diag *diag)
{
	const struct fit *fit = &bundle->fit;
	struct crash_node node;
	int offset;
	enum lb_err err = fit_find_child(fit, fit->configurations, name, &offset, diag);

	if (!err)
		err = read_node(fit, offset, &node, diag);
	if (err)
		return err;
	*crash = (struct bundle_crash){
		.name = node.name,
		.has_kernel = node.property[CRASH_KERNEL].value,
		.beside_firmware = bundle_has_firmware(&bundle->fit),
	};
	err = fit_read_number(&node.property[CRASH_REGION_SIZE], node.name, &crash->region_size, diag);
	if (err == LB_OK)
		err = fit_read_number(&node.property[CRASH_KEPT_SIZE], node.name, &crash->kept_size, diag);
	if (err == LB_OK)
		err = read_attempts(&node, crash, diag);
	if (err == LB_OK)
		err = read_unknown_end(&node, crash, diag);
	if (err == LB_OK)
		err = read_form(&node, crash, diag);
	return err;
}

enum lb_err bundle_check_crash(const struct bundle_config *config, struct diag *diag)
{
	if (!config->loadable[0].size)
		return LB_OK;
	return diag_fail(diag, LB_EUNSUPPORTED,
			 "crash: a crash configuration can't have loadables: put them into its initramfs");
}

/* ---- Primaries that come to nothing ---- */

uint64_t bundle_identify(const struct bundle *bundle)
{
	const uint64_t looked_at = bundle->size < ID_BYTES ? bundle->size : ID_BYTES;

	return fnv_update_bytes(fnv_update(FNV_BASIS, bundle->size), bundle->data, looked_at);
}

/* A number of /configurations, @max at most. What makes no sense is @fallback. */
static uint32_t read_number(const struct fit_property *property, uint32_t fallback, uint32_t max,
			    struct diag *warning)
{
	uint64_t number;

	if (!property->value)
		return fallback;
	if (!fit_read_number(property, "configurations", &number, NULL) && number <= max)
		return (uint32_t)number;
	diag_fail(warning, LB_EFORMAT, "bundle: %s is no number from 0 to %" PRIu32 ": %" PRIu32 " is taken",
		  property->name, max, fallback);
	return fallback;
}

void bundle_policy(const struct bundle *bundle, struct boot_policy *policy, struct diag *warning)
{
	enum { LIMIT, SECONDS, ALL_BAD, PROPERTIES };
	struct fit_property property[PROPERTIES] = {
		[LIMIT] = {.name = "lifeboat,boot-limit"},
		[SECONDS] = {.name = "lifeboat,boot-seconds"},
		[ALL_BAD] = {.name = "lifeboat,all-bad"},
	};
	const struct fit *fit = &bundle->fit;

	*policy = (struct boot_policy){.seconds = SECONDS_DEFAULT};
	warning->text[0] = '\0';
	if (fit->configurations < 0 ||
	    fit_read_properties(fit, fit->configurations, property, PROPERTIES, warning))
		return;
	policy->limit = read_number(&property[LIMIT], 0, LIMIT_MAX, warning);
	policy->seconds = read_number(&property[SECONDS], SECONDS_DEFAULT, SECONDS_MAX, warning);
	policy->reset_when_all_bad = fit_property_is(&property[ALL_BAD], "reset");
}
