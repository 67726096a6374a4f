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
typedef enum HxKind
{
	HX_KIND_OTHER = 0,
	HX_KIND_REALS,	/* real[], double precision[], numeric[] */
	HX_KIND_INTS,	/* integer[]: a vector, or labels */
	HX_KIND_SVEC,	/* svec */
	HX_KIND_CODE,	/* bincode */
	HX_KIND_LABEL,	/* smallint, integer, bigint, boolean */
	HX_KIND_NUMBER, /* real, double precision, numeric */
	HX_KIND_TEXT	/* text, also untyped */
} HxKind;

/* A vector that was read */
typedef struct HxInput
{
	int dims;		/* dimensions */
	double *dense;	/* all of them, finite, in the range of real; or NULL */
	HxSvec *sparse; /* or NULL */
} HxInput;

/* Kind of a type, domains by their base type */
extern HxKind HxKindOf(Oid type);

/* Read a vector; error as with HxReadArray, or beyond the range of real */
extern HxInput HxReadInput(Datum value, HxKind kind);

/*
 * What enters a view's layers, width numbers (or fewer, for a prefix), in the
 * current memory context; error if the view does not take such a vector.
 */
extern double *HxEnterView(const HxModel *model, int view, const HxInput *input,
						   int *width);

#endif /* HX_INPUT_H */
