// SPDX-License-Identifier: BSD-2-Clause
/* Sorted sets of address ranges: exact add, subtract and search. */
#include "mm/region.h"

#include <string.h>

/* Make regions [first, behind) of @set the @count ones at @with; the rest moves up or down. */
static enum lb_err splice(struct region_set *set, size_t first, size_t behind, const struct region *with,
			  size_t count)
{
	size_t rest = set->count - behind;

	if (first + count + rest > REGION_SET_MAX)
		return LB_ENOSPC;
	memmove(&set->region[first + count], &set->region[behind], rest * sizeof(*with));
	for (size_t i = 0; i < count; i++)
		set->region[first + i] = with[i];
	set->count = first + count + rest;
	return LB_OK;
}

/* The index of the first region that ends at or above @address; the count when there is none. */
static size_t first_ending_at(const struct region_set *set, paddr_t address)
{
	size_t i = 0;

	while (i < set->count && region_end(set->region[i]) < address)
		i++;
	return i;
}

struct region region_pages_around(struct region r)
{
	paddr_t base = align_down(r.base, PAGE_SIZE);
	paddr_t end;

	if (!r.size)
		return (struct region){base, 0};
	if (!align_up(region_end(r), PAGE_SIZE, &end))
		end = align_down(UINT64_MAX, PAGE_SIZE);
	return (struct region){base, end - base};
}

/* [@base, @end); empty if nothing is between them. */
static struct region between(paddr_t base, paddr_t end)
{
	return base < end ? (struct region){base, end - base} : (struct region){0, 0};
}

struct region region_pages_inside(struct region r)
{
	paddr_t base;

	if (!align_up(r.base, PAGE_SIZE, &base))
		return (struct region){0, 0};
	return between(base, align_down(region_end(r), PAGE_SIZE));
}

struct region region_intersection(struct region a, struct region b)
{
	return between(a.base > b.base ? a.base : b.base,
		       region_end(a) < region_end(b) ? region_end(a) : region_end(b));
}

struct region region_span(struct region a, struct region b)
{
	return between(a.base < b.base ? a.base : b.base,
		       region_end(a) > region_end(b) ? region_end(a) : region_end(b));
}

void region_set_clear(struct region_set *set)
{
	set->count = 0;
}

void region_set_copy(struct region_set *to, const struct region_set *from)
{
	to->count = from->count;
	memcpy(to->region, from->region, from->count * sizeof(from->region[0]));
}

enum lb_err region_set_add(struct region_set *set, paddr_t base, uint64_t size)
{
	size_t first, behind;
	paddr_t end;

	if (!range_is_valid(base, size))
		return LB_ERANGE;
	if (!size)
		return LB_OK;
	end = base + size;
	first = first_ending_at(set, base);
	for (behind = first; behind < set->count && set->region[behind].base <= end; behind++) {
		struct region r = set->region[behind];

		base = r.base < base ? r.base : base;
		end = region_end(r) > end ? region_end(r) : end;
	}
	return splice(set, first, behind, &(struct region){base, end - base}, 1);
}

enum lb_err region_set_subtract(struct region_set *set, paddr_t base, uint64_t size)
{
	struct region left_over[2];
	size_t first, behind, count = 0;
	paddr_t end;

	if (!range_is_valid(base, size))
		return LB_ERANGE;
	if (!size)
		return LB_OK;
	end = base + size;
	first = first_ending_at(set, base);
	for (behind = first; behind < set->count && set->region[behind].base < end; behind++) {
		struct region r = set->region[behind];

		if (r.base < base)
			left_over[count++] = (struct region){r.base, base - r.base};
		if (region_end(r) > end)
			left_over[count++] = (struct region){end, region_end(r) - end};
	}
	return splice(set, first, behind, left_over, count);
}

bool region_set_contains(const struct region_set *set, paddr_t base, uint64_t size)
{
	size_t i;

	if (!range_is_valid(base, size))
		return false;
	if (!size)
		return true;
	i = first_ending_at(set, base + size);
	return i < set->count && set->region[i].base <= base;
}

bool region_set_overlaps(const struct region_set *set, paddr_t base, uint64_t size)
{
	if (!range_is_valid(base, size))
		size = UINT64_MAX - base;
	for (size_t i = first_ending_at(set, base); i < set->count && set->region[i].base < base + size;
	     i++) {
		struct region r = set->region[i];

		if (ranges_overlap(r.base, r.size, base, size))
			return true;
	}
	return false;
}

uint64_t region_set_size(const struct region_set *set)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < set->count; i++)
		sum += set->region[i].size;
	return sum;
}

uint64_t region_set_largest(const struct region_set *set, uint64_t align)
{
	uint64_t largest = 0;

	for (size_t i = 0; i < set->count; i++) {
		paddr_t end = region_end(set->region[i]);
		paddr_t base;

		if (align_up(set->region[i].base, align, &base) && base < end && end - base > largest)
			largest = end - base;
	}
	return largest;
}

/* The lowest or highest place for @size bytes inside [@low, @high), if there is one. */
static bool place_in(paddr_t low, paddr_t high, uint64_t size, uint64_t align, enum region_order order,
		     paddr_t *base)
{
	paddr_t lowest, highest;

	if (high < size || !align_up(low, align, &lowest))
		return false;
	highest = align_down(high - size, align);
	if (lowest > highest)
		return false;
	*base = order == REGION_LOWEST ? lowest : highest;
	return true;
}

enum lb_err region_set_find(const struct region_set *set, uint64_t size, uint64_t align, paddr_t low,
			    paddr_t high, enum region_order order, paddr_t *base)
{
	if (!size || !is_power_of_two(align))
		return LB_EINVAL;
	for (size_t i = 0; i < set->count; i++) {
		struct region r = set->region[order == REGION_LOWEST ? i : set->count - 1 - i];
		paddr_t from = r.base > low ? r.base : low;
		paddr_t to = region_end(r) < high ? region_end(r) : high;

		if (place_in(from, to, size, align, order, base))
			return LB_OK;
	}
	return LB_ENOSPC;
}
