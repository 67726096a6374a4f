/*
 * methods.c
 *	  The methods of training.
 */
#include "postgres.h"

#include "encoder/train/method.h"

const HxMethod *const HxMethods[] = {
	&HxMethodRandom, &HxMethodPca,	 &HxMethodItq,	  &HxMethodClass,
	&HxMethodFit,	 &HxMethodShift, &HxMethodCross,  &HxMethodPairs,
	&HxMethodRbin,	 &HxMethodRq,	 &HxMethodPieces, &HxMethodLouvain,
	&HxMethodFreq,	 &HxMethodDedup, &HxMethodPvdbow, NULL,
};
