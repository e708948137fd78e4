// SPDX-License-Identifier: BSD-2-Clause
/* Public keys out of a control FDT. */
#include "fdt/fit/keyring.h"

#include <inttypes.h>
#include <string.h>

#define EXPONENT_DEFAULT 65537

enum key_property {
	KEY_HINT,
	KEY_ALGO,
	KEY_REQUIRED,
	KEY_MIN_VERSION,
	KEY_NUM_BITS,
	KEY_MODULUS,
	KEY_EXPONENT,
	KEY_CURVE,
	KEY_X,
	KEY_Y,
	KEY_PROPERTIES,
};

struct key_node {
	const char *name;
	struct fit_property property[KEY_PROPERTIES];
};

/* Read a property that holds one string or is absent (NULL). */
static enum lb_err read_string(const struct fit_property *property, const char *node, const char **string,
			       struct diag *diag)
{
	size_t count;
	enum lb_err err = fit_read_strings(property, node, string, &count, diag);

	if (err == LB_OK && count > 1)
		return diag_fail(diag, LB_EFORMAT, "keys: '%s' of '" FIT_NAME "' is more than one string",
				 property->name, node);
	return err;
}

/* Find /signature in ring->tree, and how its keys count. */
static enum lb_err find_signature(struct keyring *ring, struct diag *diag)
{
	struct fit_property mode = {.name = "required-mode"};
	const char *value = NULL;
	enum lb_err err = fit_find_child(&ring->tree, 0, "signature", &ring->node, diag);

	if (err == LB_ENOENT)
		return diag_fail(diag, LB_ENOENT, "keys: no /signature in the control FDT");
	if (err == LB_OK)
		err = fit_read_properties(&ring->tree, ring->node, &mode, 1, diag);
	if (err == LB_OK)
		err = read_string(&mode, "signature", &value, diag);
	if (err)
		return err;
	ring->any_will_do = value && strcmp(value, "any") == 0;
	if (value && !ring->any_will_do && strcmp(value, "all") != 0)
		return diag_fail(diag, LB_EFORMAT, "keys: required-mode is neither \"all\" nor \"any\"");
	return LB_OK;
}

enum lb_err keyring_open(const void *blob, uint64_t size, struct keyring *ring, struct diag *diag)
{
	enum lb_err err = fit_open_tree(blob, size, &ring->tree, diag);

	return err ? err : find_signature(ring, diag);
}

enum lb_err keyring_open_checked(const void *blob, uint64_t size, struct keyring *ring, struct diag *diag)
{
	ring->tree = (struct fit){.blob = blob, .size = size, .images = -1, .configurations = -1};
	return find_signature(ring, diag);
}

int keyring_first(const struct keyring *ring)
{
	return fit_first_child(&ring->tree, ring->node);
}

int keyring_next(const struct keyring *ring, int key)
{
	return fit_next_child(&ring->tree, key);
}

/* A word that nobody knows must not make a key optional. */
static enum lb_err read_required(const struct key_node *node, struct key *key, struct diag *diag)
{
	const char *required = NULL;
	enum lb_err err = read_string(&node->property[KEY_REQUIRED], node->name, &required, diag);

	if (err)
		return err;
	key->required = KEY_OPTIONAL;
	if (!required)
		return LB_OK;
	if (strcmp(required, "conf") == 0)
		key->required = KEY_REQUIRED_CONF;
	else if (strcmp(required, "image") == 0)
		key->required = KEY_REQUIRED_IMAGE;
	else
		return diag_fail(diag, LB_EFORMAT,
				 "keys: '" FIT_NAME "' is required for '" FIT_NAME
				 "': it can be \"conf\" or \"image\"",
				 node->name, required);
	return LB_OK;
}

static struct key_bytes bytes_of(const struct key_node *node, enum key_property which)
{
	return (struct key_bytes){node->property[which].value, node->property[which].size};
}

static enum lb_err read_rsa(const struct key_node *node, struct key *key, struct diag *diag)
{
	const struct fit_property *property = node->property;
	uint64_t bits;
	enum lb_err err = fit_read_number(&property[KEY_EXPONENT], node->name, &key->exponent, diag);

	if (err == LB_OK)
		err = fit_read_number(&property[KEY_NUM_BITS], node->name, &bits, diag);
	if (err)
		return err;
	if (!property[KEY_EXPONENT].value)
		key->exponent = EXPONENT_DEFAULT;
	key->modulus = bytes_of(node, KEY_MODULUS);
	if (property[KEY_NUM_BITS].value && bits != 8 * (uint64_t)key->modulus.size)
		return diag_fail(diag, LB_EFORMAT,
				 "keys: '" FIT_NAME "' has a modulus of %" PRIu32 " bytes for %" PRIu64
				 " bits",
				 node->name, key->modulus.size, bits);
	return LB_OK;
}

static enum lb_err read_ecdsa(const struct key_node *node, struct key *key, struct diag *diag)
{
	const char *curve = NULL;
	enum lb_err err = read_string(&node->property[KEY_CURVE], node->name, &curve, diag);

	if (err)
		return err;
	if (curve && strcmp(curve, "prime256v1") != 0)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "keys: '" FIT_NAME "' is on the curve '" FIT_NAME
				 "', lifeboat knows prime256v1",
				 node->name, curve);
	key->x = bytes_of(node, KEY_X);
	key->y = bytes_of(node, KEY_Y);
	return LB_OK;
}

static enum lb_err read_policy(const struct key_node *node, struct key *key, struct diag *diag)
{
	const struct fit_property *property = node->property;
	const char *hint = NULL;
	enum lb_err err = read_string(&property[KEY_HINT], node->name, &hint, diag);

	if (err == LB_OK)
		err = read_string(&property[KEY_ALGO], node->name, &key->algo, diag);
	if (err == LB_OK)
		err = fit_read_number(&property[KEY_MIN_VERSION], node->name, &key->min_version, diag);
	if (err == LB_OK)
		err = read_required(node, key, diag);
	key->name = hint ? hint : node->name;
	return err;
}

enum lb_err keyring_read(const struct keyring *ring, int node, struct key *key, struct diag *diag)
{
	struct key_node read = {
		.name = fit_node_name(&ring->tree, node),
		.property =
			{
				[KEY_HINT] = {.name = "key-name-hint"},
				[KEY_ALGO] = {.name = "algo"},
				[KEY_REQUIRED] = {.name = "required"},
				[KEY_MIN_VERSION] = {.name = "lifeboat,min-version"},
				[KEY_NUM_BITS] = {.name = "rsa,num-bits"},
				[KEY_MODULUS] = {.name = "rsa,modulus"},
				[KEY_EXPONENT] = {.name = "rsa,exponent"},
				[KEY_CURVE] = {.name = "ecdsa,curve"},
				[KEY_X] = {.name = "ecdsa,x-point"},
				[KEY_Y] = {.name = "ecdsa,y-point"},
			},
	};
	enum lb_err err;

	*key = (struct key){.name = read.name};
	err = fit_read_properties(&ring->tree, node, read.property, KEY_PROPERTIES, diag);
	if (err == LB_OK)
		err = read_policy(&read, key, diag);
	if (err == LB_OK)
		err = read_rsa(&read, key, diag);
	if (err == LB_OK)
		err = read_ecdsa(&read, key, diag);
	if (err == LB_OK && !key->modulus.data && !key->x.data)
		return diag_fail(diag, LB_EFORMAT, "keys: '" FIT_NAME "' is no RSA and no ECDSA key",
				 read.name);
	return err;
}
