/*
 * random.h
 *	  Random numbers of the unit tests: xorshift64*, seeded by each program,
 *	  which prints its seed.
 */
#ifndef HX_TEST_RANDOM_H
#define HX_TEST_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "../../src/random.h"

static uint64_t random_state;

static inline uint64_t
next_random(void)
{
	return HxNextRandom(&random_state);
}

/* A number from 0 to bound - 1. */
static inline size_t
random_below(size_t bound)
{
	return (size_t) ((next_random() >> 11) % bound);
}

#endif /* HX_TEST_RANDOM_H */
