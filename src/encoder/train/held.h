/*
 * held.h
 *	  What is chosen by pairs that are held out.
 */
#ifndef HX_TRAIN_HELD_H
#define HX_TRAIN_HELD_H

#include "random.h"

/*
 * Share of b's n rows that are among the nearest `share` of them by the codes' distance,
 * from the row of a with the same number; ties count half.  a and b are outputs
 * (n x bits), whose signs are the codes: they become these, as +1 and -1.
 */
extern double HxMatchCodes(float *a, float *b, int n, int bits, double share);

/*
 * The same for each row: add 1 to near if its match is among the nearest `share`,
 * and to told how much codes tell of it, the logarithm of n by the match's place.
 */
extern void HxAskMatches(float *a, float *b, int n, int bits, double share,
						 float *near, float *told);

/* Shuffle whole numbers. */
extern void HxShuffle(int *numbers, int count, HxRandom *random);

#endif /* HX_TRAIN_HELD_H */
