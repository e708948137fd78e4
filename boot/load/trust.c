// SPDX-License-Identifier: BSD-2-Clause
/* Keys, and who has signed what is about to be started. */
#include "boot/load/trust.h"

#include <inttypes.h>

/* From tools/lifeboat keys: a control FDT, or nothing. */
extern const unsigned char builtin_keys[];
extern const size_t builtin_keys_size;

/* Which ones is a choice of the build; the NULL is for a build that has none. */
static const struct signature_scheme *const schemes[] = {TRUST_SCHEMES NULL};
#define SCHEMES (ARRAY_SIZE(schemes) - 1)

static struct signature_policy policy_of(const struct trust *trust)
{
	return (struct signature_policy){
		.ring = trust->ring,
		.ring_count = trust->ring_count,
		.scheme = schemes,
		.scheme_count = SCHEMES,
	};
}

/* Each control FDT is one more to please, so that the firmware's can't take back what the build demands. */
static enum lb_err add_ring(struct trust *trust, enum lb_err opened, const char *from, struct log *log)
{
	const struct keyring *ring = &trust->ring[trust->ring_count];

	if (opened == LB_ENOENT)
		return LB_OK;
	if (opened)
		return opened;
	for (int node = keyring_first(ring); node >= 0; node = keyring_next(ring, node)) {
		static const char *const required[] = {"", ", required for configurations",
						       ", required for images"};
		struct key key;
		enum lb_err err = keyring_read(ring, node, &key, &log->diag);

		if (err)
			return err;
		log_info(log, "signature: key %s (%s), %s%s", key.name, key.algo ? key.algo : "any algo",
			 from, required[key.required]);
	}
	trust->ring_count++;
	return LB_OK;
}

static bool is_required(const struct signature_policy *policy)
{
	return signature_requires(policy, KEY_REQUIRED_CONF) ||
	       signature_requires(policy, KEY_REQUIRED_IMAGE);
}

enum lb_err trust_find_keys(struct trust *trust, const struct hw *hw, struct log *log)
{
	struct signature_policy policy;
	enum lb_err err = LB_OK;

	if (!SCHEMES)
		return LB_OK;
	if (builtin_keys_size)
		err = add_ring(trust,
			       keyring_open(builtin_keys, builtin_keys_size, &trust->ring[0], &log->diag),
			       "built in", log);
	if (!err && hw->machine.has_keys)
		err = add_ring(trust,
			       keyring_open_checked(hw->fdt, hw->fdt_size, &trust->ring[trust->ring_count],
						    &log->diag),
			       "from the FDT", log);
	policy = policy_of(trust);
	trust->required = is_required(&policy);
	return err;
}

bool trust_is_sound(const struct trust *trust, const struct bundle_blob *blob)
{
	for (size_t i = 0; i < trust->sound_count; i++) {
		if (trust->sound[i] == blob->node)
			return true;
	}
	return false;
}

void trust_note_sound(struct trust *trust, const struct bundle_blob *blob)
{
	if (blob->hashes.count && trust->sound_count < TRUST_SOUND_MAX && !trust_is_sound(trust, blob))
		trust->sound[trust->sound_count++] = blob->node;
}

static enum lb_err check_images(const struct facts *facts, const struct payload *payload,
				const struct signature_policy *policy)
{
	const struct bundle *bundle = &facts->source->bundle;
	const struct bundle_blob *blob;
	enum lb_err err = LB_OK;

	if (!signature_requires(policy, KEY_REQUIRED_IMAGE))
		return LB_OK;
	for (size_t i = 0; !err && (blob = bundle_config_blob(&payload->config, i)); i++)
		err = signature_check_image(policy, &bundle->fit, blob->node, bundle->data + blob->offset,
					    blob->size, &facts->trust->work, &facts->log->diag);
	return err;
}

static enum lb_err check_bare(const struct facts *facts)
{
	if (facts->trust->required)
		return diag_fail(&facts->log->diag, LB_EUNTRUSTED,
				 "signature: this is no bundle but a bare payload, which nobody can sign: "
				 "make a bundle");
	return LB_OK;
}

static enum lb_err check(const struct facts *facts, const struct payload *payload,
			 const struct signature_policy *policy, struct signature_verdict *verdict)
{
	const struct bundle *bundle = &facts->source->bundle;
	enum lb_err err;

	if (!bundle->is_fit)
		return check_bare(facts);
	err = signature_check(policy, &bundle->fit, payload->config.name, &facts->trust->work, verdict,
			      &facts->log->diag);
	return err ? err : check_images(facts, payload, policy);
}

static void drop_foreign_initrd(const struct facts *facts, struct payload *payload)
{
	if (!payload->initrd.size || payload->config.ramdisk[0].size || !facts->trust->required)
		return;
	log_warn(facts->log, "signature: the initrd beside the bundle is not signed, so it is not used");
	payload->initrd = (struct region){0, 0};
}

static void print_verdict(struct log *log, const char *name, const struct signature_verdict *verdict)
{
	if (verdict->key)
		log_info(log, "signature: %s is signed by %s (%s), version %" PRIu64, name, verdict->key,
			 verdict->algo, verdict->version);
	else
		log_info(log, "signature: %s is unsigned: %s", name,
			 verdict->keys ? "no key's signature holds, and none is required"
				       : "there is no key to check it with");
}

enum lb_err trust_look_at(const struct facts *facts, const char *name)
{
	const struct signature_policy policy = policy_of(facts->trust);
	const uint64_t begin = cost_begin(facts->cost);
	struct signature_verdict verdict;
	enum lb_err err;

	if (!facts->trust->required)
		return LB_OK;
	err = signature_check(&policy, &facts->source->bundle.fit, name, &facts->trust->work, &verdict,
			      &facts->log->diag);
	cost_end(facts->cost, COST_SIGNATURE, begin, 0);
	return err;
}

enum lb_err trust_look(const struct facts *facts, const struct payload *payload)
{
	const struct signature_policy policy = policy_of(facts->trust);
	struct signature_verdict verdict = {.key = NULL};

	return SCHEMES ? check(facts, payload, &policy, &verdict) : LB_OK;
}

enum lb_err trust_check(const struct facts *facts, struct payload *payload)
{
	const struct signature_policy policy = policy_of(facts->trust);
	const uint64_t begin = cost_begin(facts->cost);
	struct signature_verdict verdict = {.key = NULL};
	enum lb_err err;

	if (!SCHEMES) {
		log_info(facts->log, "signature: %s is unsigned: this build checks no signatures",
			 payload->config.name);
		return LB_OK;
	}
	err = check(facts, payload, &policy, &verdict);
	if (err)
		return err;
	if (verdict.key)
		cost_end(facts->cost, COST_SIGNATURE, begin, 0);
	print_verdict(facts->log, payload->config.name, &verdict);
	drop_foreign_initrd(facts, payload);
	return LB_OK;
}
