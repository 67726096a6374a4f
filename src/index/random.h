/*
 * random.h
 *	  A small seeded generator, the same on every server version.
 */
#ifndef HX_RANDOM_H
#define HX_RANDOM_H

/* xorshift64* (Vigna 2016); the state must not be 0 */
static inline uint64
HxRandom(uint64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64CONST(0x2545F4914F6CDD1D);
}

/* A number below a limit */
static inline uint64
HxRandomBelow(uint64 *state, uint64 limit)
{
	return HxRandom(state) % limit;
}

#endif /* HX_RANDOM_H */
