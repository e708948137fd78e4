// SPDX-License-Identifier: BSD-2-Clause
/* Which board a configuration is for. Read board_rank() first. */
#include "kexec/bundle/board.h"

#include "fdt/read.h"

/* The names in a property of @node; one that is damaged names a board that there is not. */
static struct board_names names_in(const struct fit *fit, int node, const char *name)
{
	struct fit_property property = {.name = name};
	struct board_names names;
	size_t count;

	if (fit_read_properties(fit, node, &property, 1, NULL) ||
	    fit_read_strings(&property, "", &names.first, &count, NULL))
		return (struct board_names){"", 1};
	names.size = property.size;
	return names;
}

/* Those of the root of the first FDT that the configuration names. */
static struct board_names names_in_fdt(const struct bundle *bundle, int node)
{
	const struct fit *fit = &bundle->fit;
	struct board_names names = names_in(fit, node, "fdt");
	struct bundle_blob blob;
	int image;

	if (names.first && (fit_find_child(fit, fit->images, names.first, &image, NULL) ||
			    bundle_find_data(fit, image, &blob, NULL)))
		names.first = NULL;
	if (names.first)
		names.first = fdt_peek_compatible(bundle->data + blob.offset, blob.size, &names.size);
	return names;
}

static size_t rank_of(struct board_names names, const struct machine *machine)
{
	return names.first && machine->compatible ? machine_rank(machine, names.first, names.size)
						  : BOARD_UNSAID;
}

struct board_names board_names(const struct bundle *bundle, int node)
{
	const struct board_names names = names_in(&bundle->fit, node, "compatible");

	return names.first ? names : names_in_fdt(bundle, node);
}

size_t board_rank(const struct bundle *bundle, int node, const struct machine *machine)
{
	return rank_of(board_names(bundle, node), machine);
}

const char *board_foreign(const struct bundle *bundle, const char *name, const struct machine *machine)
{
	struct board_names names;
	int node;

	if (!bundle->is_fit || fit_find_child(&bundle->fit, bundle->fit.configurations, name, &node, NULL))
		return NULL;
	names = board_names(bundle, node);
	if (rank_of(names, machine) != BOARD_OTHER)
		names = names_in_fdt(bundle, node);
	return rank_of(names, machine) == BOARD_OTHER ? names.first : NULL;
}
