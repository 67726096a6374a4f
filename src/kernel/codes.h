/*
 * codes.h
 *	  What the tables of kernels share: codes beside each other, lanes of sums.
 */
#ifndef HX_CODES_H
#define HX_CODES_H

#include <stddef.h>
#include <stdint.h>

/* Lanes of every dense accumulation: lane = dimension mod 16, from 0 */
#define HX_LANES 16

/* An array of codes, `stride` bytes apart */
typedef struct HxCodes
{
	const uint8_t *base; /* first byte of the first code */
	size_t stride;		 /* bytes from one code to the next */
	size_t count;		 /* number of codes */
} HxCodes;

#endif /* HX_CODES_H */
