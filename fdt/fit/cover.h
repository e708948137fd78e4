/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a signature of a FIT's configuration covers, and the bytes that are hashed for it.
 *
 * mkimage signs a configuration together with the images that it names and their hash nodes: it lists the
 * nodes in the signature's hashed-nodes, and hashes the tree with everything else cut out. The list lies
 * outside of what is signed. So here it is not believed: the nodes are found from the configuration, and the
 * list must name them, all of them, and nothing else.
 */
#ifndef LIFEBOAT_FDT_FIT_COVER_H
#define LIFEBOAT_FDT_FIT_COVER_H

#include "fdt/fit/fit.h"

#define FIT_COVER_MAX	64
#define FIT_COVER_DEPTH 3

/** A node that is covered, by its offset and by the parts of its path. The root has none. */
struct fit_covered {
	int node;
	const char *part[FIT_COVER_DEPTH]; /* NULL behind the last */
};

/** The nodes that a signature of one configuration must cover. */
struct fit_cover {
	size_t count;
	struct fit_covered covered[FIT_COVER_MAX];
};

/**
 * Find what a signature of @config must cover: the root, @config, every image that it names, their nodes for
 * hashes, ciphers and dm-verity.
 *
 * An image is named by any property of @config that has its name as a text, known to us or not: as in U-Boot
 * 2026.10 (its image-fit-sig.c), only description, compatible and default name none.
 * @config  offset of the configuration's node
 * Return: LB_OK; LB_EFORMAT an image's name is there twice; LB_ENOSPC more than FIT_COVER_MAX nodes.
 */
LB_MUST_CHECK enum lb_err fit_cover_find(const struct fit *fit, int config, struct fit_cover *cover,
					 struct diag *diag);

/**
 * Does a signature's hashed-nodes list name exactly the nodes of @cover?
 *
 * @list  the property; its value may be NULL
 * Return: LB_OK; LB_EUNTRUSTED no, and @diag names the first that is missing or too much; LB_EFORMAT no list
 *         of strings.
 */
LB_MUST_CHECK enum lb_err fit_cover_check_list(const struct fit_cover *cover, const struct fit_property *list,
					       const char *signature, struct diag *diag);

/** Takes the next @size bytes of what is hashed. */
typedef void fit_region_visit(void *arg, const void *data, size_t size);

/**
 * Hand the bytes that are hashed for @cover to @visit, in order: of the structure block, and then the first
 * @strings bytes of the strings block.
 *
 * @strings  the second cell of the signature's hashed-strings
 * Return: LB_OK; LB_EUNTRUSTED a covered property's name lies outside of these strings, so that it could be
 *         any, or a node has an '@' in its name, which other FIT tools may take for another node; LB_EFORMAT
 *         the tree is too deep, has something behind its end, or ends before @strings.
 */
LB_MUST_CHECK enum lb_err fit_region_walk(const struct fit *fit, const struct fit_cover *cover,
					  uint64_t strings, fit_region_visit *visit, void *arg,
					  struct diag *diag);

#endif
