// SPDX-License-Identifier: BSD-2-Clause
/* The crash region's reserved-memory node, read from the device tree's files. */
#include "tools/lifeboat-ctl/find_region.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BINDING	     "lifeboat,crash-region"
#define NODE	     "lifeboat-crash@"
#define LENT_NODE    "lifeboat-lent@"
#define PATH_ROOM    512
#define PROPERTY_MAX 256

/* A property's bytes; size 0 when it is absent, empty, or longer than any that we want. */
struct property {
	bool is_there;
	size_t size;
	unsigned char bytes[PROPERTY_MAX];
};

static struct property read_property(const char *directory, const char *node, const char *name)
{
	struct property p = {.size = 0};
	char path[2 * PATH_ROOM];
	FILE *file;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s/%s", directory, node, name) >= sizeof(path))
		return p;
	file = fopen(path, "rb");
	if (!file)
		return p;
	p.is_there = true;
	p.size = fread(p.bytes, 1, sizeof(p.bytes), file);
	fclose(file);
	if (p.size == sizeof(p.bytes))
		p.size = 0;
	return p;
}

static uint64_t number(const unsigned char *bytes, size_t size)
{
	uint64_t n = 0;

	for (size_t i = 0; i < size; i++)
		n = n << 8 | bytes[i];
	return n;
}

/*
 * Is one of the NUL-ended strings in @p the binding's? The byte behind the last one is 0 in any case. Where
 * there are none, the node's name must do.
 */
static bool is_ours(const struct property *p, const char *node)
{
	if (!p->is_there)
		return !strncmp(node, NODE, sizeof(NODE) - 1);
	for (size_t at = 0; at < p->size; at += strlen((const char *)p->bytes + at) + 1) {
		if (!strcmp((const char *)p->bytes + at, BINDING))
			return true;
	}
	return false;
}

static size_t cells(const char *parent, const char *name)
{
	struct property p = read_property(parent, ".", name);
	uint64_t count = p.size == 4 ? number(p.bytes, 4) : 0;

	return count == 1 || count == 2 ? (size_t)count : 0;
}

static enum lb_err read_range(const char *parent, const char *node, struct region *range, struct diag *diag)
{
	const size_t address = 4 * cells(parent, "#address-cells"), size = 4 * cells(parent, "#size-cells");
	const struct property reg = read_property(parent, node, "reg");

	if (!address || !size || reg.size != address + size)
		return diag_fail(diag, LB_EFORMAT,
				 "%s/%s: reg is no address and size: the device tree is damaged, reboot",
				 parent, node);
	range->base = number(reg.bytes, address);
	range->size = number(reg.bytes + address, size);
	return LB_OK;
}

/* What is lent to the kernel lies right below what is not; with it that is the region. */
static enum lb_err join(const char *node, struct region own, struct region lent, struct region *all,
			struct diag *diag)
{
	*all = own;
	if (lent.size && region_end(lent) == own.base)
		*all = (struct region){lent.base, lent.size + own.size};
	if (crash_region_is_sound(*all))
		return LB_OK;
	return diag_fail(diag, LB_EFORMAT,
			 "%.72s: %#" PRIx64 " + %#" PRIx64
			 " is no crash region: is this lifeboat-ctl of the lifeboat that booted?",
			 node, all->base, all->size);
}

static enum lb_err search(const char *parent, DIR *directory, struct crash_region *region, struct diag *diag)
{
	const struct dirent *entry;
	struct region own = {0, 0}, lent = {0, 0}, all;
	char node[PATH_ROOM] = "";
	enum lb_err err = LB_OK;

	while (!err && (entry = readdir(directory))) {
		struct property compatible = read_property(parent, entry->d_name, "compatible");

		if (!strncmp(entry->d_name, LENT_NODE, sizeof(LENT_NODE) - 1)) {
			err = read_range(parent, entry->d_name, &lent, diag);
		} else if (entry->d_name[0] != '.' && is_ours(&compatible, entry->d_name)) {
			err = read_range(parent, entry->d_name, &own, diag);
			snprintf(node, sizeof(node), "%s", entry->d_name);
		}
	}
	if (!err && !node[0])
		return diag_fail(
			diag, LB_ENOENT,
			"no crash region: lifeboat did not start this kernel as a primary, or its bundle has "
			"no crash configuration: see lifeboat's own lines on the console");
	if (!err)
		err = join(node, own, lent, &all, diag);
	if (!err)
		*region = crash_region_layout(all, 0);
	return err;
}

enum lb_err find_region(const char *devicetree, struct crash_region *region, struct diag *diag)
{
	char parent[PATH_ROOM];
	enum lb_err err;
	DIR *directory;

	if ((size_t)snprintf(parent, sizeof(parent), "%s/reserved-memory", devicetree) >= sizeof(parent))
		return diag_fail(diag, LB_EINVAL, "%.40s...: the path is too long: use a shorter one",
				 devicetree);
	directory = opendir(parent);
	if (!directory)
		return diag_fail(
			diag, LB_ENOENT,
			"no crash region: there is no %s, nor a record in a Reserved range of /proc/iomem: "
			"lifeboat did not start this kernel, or you are not root",
			parent);
	err = search(parent, directory, region, diag);
	closedir(directory);
	return err;
}

size_t find_board(const char *devicetree, char *list, size_t room)
{
	const struct property p = read_property(devicetree, ".", "compatible");

	if (p.size > room)
		return 0;
	memcpy(list, p.bytes, p.size);
	return p.size;
}
