/*
 * model.h
 *	  The type hashemb_model: an encoder as a value.
 *
 * A varlena around the bytes that format.h describes.  It is made from a
 * draft, in doubles, by HxWriteModel, which rounds weights to integers.
 */
#ifndef HX_MODEL_H
#define HX_MODEL_H

#include "postgres.h"
#include "fmgr.h"

#include "compat.h"
#include "encoder/model/format.h"

/* A layer on its way into a model */
typedef struct HxDraftLayer
{
	int inputs;
	int outputs;
	int precision;		   /* 0 identity, 1 int8, 2 int16 */
	const double *weights; /* a row of inputs for each output; or NULL */
	const double *scale;   /* of each output, or NULL; weights are then whole
							  numbers of this */
	const double *bias;	   /* of each output, or NULL for 0 */
} HxDraftLayer;

/* A view on its way into a model */
typedef struct HxDraftView
{
	int inputs;
	int features;		  /* 0 if inputs are not hashed */
	uint64 seed;		  /* of the features */
	const double *center; /* or NULL */
	const double *query;  /* queries' centre, beside center; or NULL */
	int blocks;
	HxDraftLayer block[HX_MAX_BLOCKS];
} HxDraftView;

/* Codebooks on their way, as in HxBooks: width is the view's */
typedef struct HxDraftBooks
{
	HxBookForm form;
	int count;
	int codes;
	size_t words; /* numbers of a set */
	const float *word;
	const float *query; /* or NULL */
} HxDraftBooks;

/* A table on its way: rows by rising key, each once */
typedef struct HxDraftTable
{
	size_t rows;
	int numbers;  /* a row */
	int floats;	  /* a row */
	uint32 limit; /* above every number */
	const int64 *key;
	const uint32 *number; /* or NULL if there are none a row */
	const float *weight;  /* or NULL if there are none a row */
} HxDraftTable;

/*
 * A model on its way.  For codes of b bits, outputs are in units of levels:
 * level v is from v - 2^(b-1), exclusive, to that plus 1, inclusive.
 */
typedef struct HxDraft
{
	HxFamily family;
	HxMethodId method;
	HxOutput output;
	int dims;
	int bits;
	unsigned flags;
	uint64 rows;
	double loss;
	int views;
	HxDraftView view[HX_MAX_VIEWS];
	int layers;
	HxDraftLayer layer[HX_MAX_LAYERS];
	HxDraftBooks books; /* of HX_CODEBOOK */
	int constants;		/* of HX_MAP */
	int64 constant[HX_MAX_CONSTANTS];
	int tables; /* of HX_MAP */
	HxDraftTable table[HX_MAX_TABLES];
	const void *note; /* or NULL */
	size_t note_size;
	const uint8 *space; /* 16 bytes, or NULL for a space of its own */
} HxDraft;

/* A value read: the model, in memory that the caller chose */
extern HxModel *HxLoadModel(Datum value);

/* The model in an argument, read once for calls with the same value (cache.c) */
extern const HxModel *HxModelArgument(FunctionCallInfo fcinfo, int argument);

/*
 * Error unless the model is of one of these families, as bits 1 << family, and,
 * if `method` is not 0, by that method: "has no codes", and what it is good for
 */
#define HX_VECTOR_FAMILIES (1u << HX_LINEAR | 1u << HX_DEEP)
extern void HxRequireModel(const HxModel *model, unsigned families,
						   HxMethodId method, const char *lacks);

/* A value from a draft; error if it is beyond the limits */
extern struct varlena *HxWriteModel(const HxDraft *draft);

/* A value from text, as hashemb_model's input function reads it */
extern struct varlena *HxParseModel(const char *text, struct Node *escontext);

#endif /* HX_MODEL_H */
