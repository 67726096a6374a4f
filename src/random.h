/*
 * random.h
 *	  Random numbers, the same on every machine for one seed.  Not for secrets.
 *
 * Training uses xoshiro256**, its state filled by splitmix64; samples of an index
 * need less, a state of one word.
 */
#ifndef HX_RANDOM_H
#define HX_RANDOM_H

#include <math.h>
#include <stdint.h>

typedef struct HxRandom
{
	uint64_t state[4]; /* of the generator */
	double spare;	   /* second number of a normal pair */
	int has_spare;	   /* is there one? */
} HxRandom;

/* One step of splitmix64: a well mixed number for each value of a counter */
static inline uint64_t
hx_split_mix(uint64_t *counter)
{
	uint64_t z = *counter += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Begin a sequence */
static inline void
hx_seed_random(HxRandom *random, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		random->state[i] = hx_split_mix(&seed);
	random->has_spare = 0;
}

/* 64 random bits */
static inline uint64_t
hx_random_bits(HxRandom *random)
{
	uint64_t *s = random->state;
	uint64_t five = s[1] * 5;
	uint64_t result = (five << 7 | five >> 57) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = s[3] << 45 | s[3] >> 19;
	return result;
}

/* A number from 0 to below 1, all multiples of 2^-53 alike */
static inline double
hx_random_unit(HxRandom *random)
{
	return (double) (hx_random_bits(random) >> 11) * 0x1.0p-53;
}

/* A whole number from 0 to below limit, which must not be 0 */
static inline uint64_t
hx_random_below(HxRandom *random, uint64_t limit)
{
	uint64_t least = -limit % limit;
	uint64_t bits;

	/* refuse what would make the first numbers likelier */
	do
		bits = hx_random_bits(random);
	while (bits < least);
	return bits % limit;
}

/* A number of mean 0 and variance 1, normally distributed (polar method) */
static inline double
hx_random_normal(HxRandom *random)
{
	double u;
	double v;
	double s;

	if (random->has_spare)
	{
		random->has_spare = 0;
		return random->spare;
	}
	do
	{
		u = 2.0 * hx_random_unit(random) - 1.0;
		v = 2.0 * hx_random_unit(random) - 1.0;
		s = u * u + v * v;
	} while (s >= 1.0 || s == 0.0);
	s = sqrt(-2.0 * log(s) / s);
	random->spare = v * s;
	random->has_spare = 1;
	return u * s;
}

/* ---- a state of one word: xorshift64* (Vigna 2016); it must not be 0 ---- */

static inline uint64_t
HxNextRandom(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545F4914F6CDD1D);
}

/* A number below a limit */
static inline uint64_t
HxRandomBelow(uint64_t *state, uint64_t limit)
{
	return HxNextRandom(state) % limit;
}

/*
 * Where the next of a sequence goes among those drawn from it, all alike, or -1.
 * The first ones fill the room; then each takes the place of another, or none.
 */
static inline int64_t
HxDrawPlace(uint64_t *state, int64_t *seen, int64_t room)
{
	int64_t at =
		*seen < room ? *seen : (int64_t) HxRandomBelow(state, *seen + 1);

	(*seen)++;
	return at < room ? at : -1;
}

#endif /* HX_RANDOM_H */
