/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random small machines with a payload to be placed, and a simulated memory to carry a plan out on.
 */
#ifndef LIFEBOAT_TESTS_UNIT_PLACE_SCENE_H
#define LIFEBOAT_TESTS_UNIT_PLACE_SCENE_H

#include "kexec/place/place.h"
#include "mm/pool.h"

#define GRAIN	    256
#define GRAINS	    (PAGE_SIZE / GRAIN) /* of a page */
#define PAGES	    28
#define WINDOW	    (PAGES * PAGE_SIZE) /* bytes from scene.origin on; all RAM lies in it */
#define FLASH	    UINT64_C(0x20000000)
#define SEGMENT_MAX 4
#define POOLS_MAX   3

/** Bytes for the window, and for as much memory-mapped flash. */
struct memory {
	uint8_t ram[WINDOW];
	uint8_t flash[WINDOW];
};

struct scene {
	uint64_t seed;
	paddr_t origin;
	bool ram[PAGES * GRAINS]; /* which grains of the window are RAM */
	struct memmap map;
	struct image image;
	struct place_request request;
	size_t pool_count; /* what the kernel will place itself; their windows are not taken yet */
	struct pool pool[POOLS_MAX];
	bool lost_stays; /* the kernel does not get what is only the stage's */
};

/** In a cmocka test: fail and say which scene it was. */
#define CHECK(scene, condition)                                                                     \
	do {                                                                                        \
		if (!(condition))                                                                   \
			fail_msg("seed 0x%llx: %s", (unsigned long long)(scene)->seed, #condition); \
	} while (0)

/**
 * Let the scenes that are made next take their numbers from @data while it lasts, for who searches for odd
 * ones.
 */
void scene_feed(const uint8_t *data, size_t size);

/** Fill @scene from @seed: the same seed makes the same scene everywhere. */
void scene_make(struct scene *scene, uint64_t seed);

/** Where @memory keeps [@pa, @pa + @size). NULL when some of it is in neither window nor flash. */
uint8_t *scene_at(const struct scene *scene, struct memory *memory, paddr_t pa, uint64_t size);

/** Fill @memory with bytes of which none is 0. */
void scene_fill(struct memory *memory);

#endif
