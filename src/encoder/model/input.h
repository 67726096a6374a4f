/*
 * input.h
 *	  Vectors given to training and encoding: arrays, sparse vectors, text.
 */
#ifndef HX_INPUT_H
#define HX_INPUT_H

#include "postgres.h"

#include "encoder/model/format.h"
#include "type/svec.h"

/* Kinds of values that training and encoding meet */
typedef enum HxInputType
{
	HX_INPUT_OTHER = 0,
	HX_INPUT_REALS,	 /* real[], double precision[], numeric[] */
	HX_INPUT_INTS,	 /* integer[]: a vector, or labels */
	HX_INPUT_SVEC,	 /* svec */
	HX_INPUT_CODE,	 /* bincode */
	HX_INPUT_LABEL,	 /* smallint, integer, bigint, boolean */
	HX_INPUT_NUMBER, /* real, double precision, numeric */
	HX_INPUT_TEXT	 /* text, also untyped */
} HxInputType;

/* A vector that was read */
typedef struct HxInput
{
	int dims;		/* dimensions */
	double *dense;	/* all of them, finite, in the range of real; or NULL */
	HxSvec *sparse; /* or NULL */
} HxInput;

/* Kind of a type, domains by their base type */
extern HxInputType HxInputTypeOf(Oid type);

/* Read a vector; error as with HxReadArray, or beyond the range of real */
extern HxInput HxReadInput(Datum value, HxInputType kind);

/*
 * What enters a view's layers, width numbers (or fewer, for a prefix), in the
 * current memory context; error if the view does not take such a vector.
 */
extern double *HxEnterView(const HxModel *model, int view, const HxInput *input,
						   int *width);

/* What enters a codebook's books, in the current memory context */
extern double *HxEnterBooks(const HxModel *model, Datum value,
							HxInputType kind);

/* An array of real; error if a number is beyond its range */
extern struct ArrayType *HxMakeReals(const double *numbers, int count);

#endif /* HX_INPUT_H */
