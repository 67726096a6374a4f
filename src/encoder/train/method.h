/*
 * method.h
 *	  What a method of hashemb_train is given and what it returns.
 *
 * The aggregate reads the specification, turns every row into floats and keeps
 * what the method asks for: a random sample of the rows (HX_KEEP_ROWS, chosen
 * by the seed), or sums over all rows (HX_KEEP_SUMS).  A method whose rows are no
 * vectors (ids, sequences) takes them in itself: HxIntake.  The method's train
 * function then makes a draft; the aggregate writes the model.
 *
 * All memory is in the aggregate's context and counted against
 * maintenance_work_mem by HxTrainAlloc.
 */
#ifndef HX_TRAIN_H
#define HX_TRAIN_H

#include "postgres.h"
#include "utils/jsonb.h"

#include "encoder/model/model.h"

/* What y is */
typedef enum HxTarget
{
	HX_Y_NONE = 0,
	HX_Y_VECTOR, /* array or svec: second view, positive, target vector */
	HX_Y_CODE,	 /* bincode: as floats, a level v as v + 1/2 - 2^(b-1) */
	HX_Y_LABEL,	 /* integer types and boolean */
	HX_Y_LABELS, /* integer[]: set of labels */
	HX_Y_NUMBER	 /* real, double precision, numeric */
} HxTarget;

/* What the aggregate keeps */
typedef enum HxKeep
{
	HX_KEEP_ROWS, /* a sample of rows */
	HX_KEEP_SUMS  /* sums of products over all rows */
} HxKeep;

/* Keys of the specification; the defaults are the method's */
typedef struct HxSpec
{
	int dims;		/* "dims", or "bits" where the code has 1 bit a dimension */
	int bits;		/* "bits" beside "dims": bits a dimension */
	bool has_dims;	/* was any given? */
	int64 seed;		/* "seed", 1 */
	int sample;		/* "sample": rows kept, 20000; negative if not given */
	int features;	/* "features" of hashed svec; negative if not given */
	bool normalize; /* "normalize": to length 1 first, false */
	bool center;	/* "center", true */
	bool has_center;  /* was it given? */
	bool rotate;	  /* "rotate", true: after pca */
	bool out_float;	  /* "out": "float" */
	int precision;	  /* "precision": "int8" 1, "int16" 2; 0 if not given */
	double lambda;	  /* "lambda": ridge, 0.01; fit and cross choose */
	bool has_lambda;  /* was it given? */
	int iterations;	  /* "iterations"; negative if not given */
	int prefix_count; /* "prefixes": ends of blocks */
	int prefix[HX_MAX_BLOCKS];
	bool lifelong;	/* "lifelong": keep what training on needs, false */
	HxModel *base;	/* "base": text of a model, or NULL */
	bool has_space; /* "space": 32 hexadecimal digits */
	uint8 space[HX_DIGEST_BYTES];

	/*
	 * Keys of one method only: "loss", "hidden", "rate", "batch", "margin", ...
	 * A method lists them in HxMethod.keys; HxSpecNumber and HxSpecText read
	 * them.
	 */
	Jsonb *json;
} HxSpec;

/* A class of rows that have the same labels */
typedef struct HxClass
{
	int count;	   /* labels */
	int64 *labels; /* ascending, each once */
	uint64 rows;   /* number of rows */
	double *sum;   /* of their x, width of view 1 */
} HxClass;

/* State of the aggregate: what train functions read */
typedef struct HxTraining
{
	const struct HxMethod *method;
	HxSpec spec;
	MemoryContext context; /* of everything below */
	size_t used;		   /* bytes by HxTrainAlloc */
	size_t limit;		   /* maintenance_work_mem in bytes */

	/* inputs: set by the first row that has each */
	int inputs[2];	 /* dimensions of x and y as given, 0 if never seen */
	int features[2]; /* dimensions after hashing, 0 if not hashed */
	int width[2];	 /* floats kept a row: features, else inputs */
	bool sparse[2];	 /* svec? */
	HxTarget target; /* kind of y */
	int target_bits; /* HX_Y_CODE: bits a dimension */
	uint64 seen;	 /* rows with x, or with y where that may stand alone */

	/* HX_KEEP_ROWS: a sample, in no particular order */
	int capacity;	 /* rows that fit */
	int rows;		 /* rows kept */
	float *x;		 /* rows of width[0]; of 0 where absent */
	float *y;		 /* rows of width[1], vector or code; or NULL */
	double *number;	 /* HX_Y_NUMBER, HX_Y_LABEL (exact below 2^53); or NULL */
	int32 *class_of; /* HX_Y_LABEL(S): index into classes, -1; or NULL */
	uint8 *present;	 /* bit 0: has x, bit 1: has y */

	/*
	 * HX_KEEP_SUMS: over all rows, x and y taken less a pivot (the first rows'
	 * mean), so that a large mean costs no precision
	 */
	double *pivot_x; /* width[0] */
	double *pivot_y; /* width[1], if y is a vector or code */
	double *sum_x;	 /* width[0] */
	double *sum_xx;	 /* width[0] x width[0], lower triangle */
	double *sum_y;	 /* width[1] */
	double *sum_xy;	 /* width[0] x width[1], row by row */

	/*
	 * Rows held out of the sums, to choose a ridge by, until HxAddHeld
	 */
	int held;	   /* their number */
	float *held_x; /* held x width[0], as given; or NULL */
	float *held_y; /* held x width[1] */

	double sum_y2; /* squared lengths of y */

	/* classes met, in order of their labels when train is called */
	int class_count;
	HxClass *classes;

	Oid type[2]; /* of x and y, domains by their base; InvalidOid without y */
	void *taken; /* what a method's own intake has kept */

	struct HxTrainingPrivate *internal; /* reservoir, buffers, lookup */
} HxTraining;

/*
 * How a method takes in rows that are no vectors.  Rows with a NULL are left
 * out.
 */
typedef struct HxIntake
{
	/* Once, before the first row: check the types, begin training->taken */
	void (*start)(HxTraining *training);

	/*
	 * A row: x, and y where there is one.  The memory context is the row's;
	 * what stays is allocated by HxTrainAlloc and HxTrainGrow.  Counts
	 * training->seen.
	 */
	void (*row)(HxTraining *training, const Datum *values);
} HxIntake;

/* A method of training */
typedef struct HxMethod
{
	HxMethodId id;
	HxKeep keep;
	unsigned targets;		 /* 1 << HxTarget: what y may be */
	bool unpaired;			 /* may x or y be NULL? */
	bool chooses;			 /* does it choose its ridge by rows held out? */
	bool continues;			 /* are base's weights trained on? */
	unsigned bases;			 /* 1 << HxFamily of "base", 0: linear and deep */
	const char *const *keys; /* keys beside "method", NULL at the end */
	const HxIntake *intake;	 /* of rows that are no vectors, or NULL */
	bool needs_rows;		 /* is it an error if all rows have a NULL? */
	void (*train)(HxTraining *training, HxDraft *draft);
} HxMethod;

/* methods.c: the methods; NULL at the end */
extern const HxMethod *const HxMethods[];

/* One each: see methods.c */
extern const HxMethod HxMethodRandom;
extern const HxMethod HxMethodPca;
extern const HxMethod HxMethodItq;
extern const HxMethod HxMethodClass;
extern const HxMethod HxMethodFit;
extern const HxMethod HxMethodShift;
extern const HxMethod HxMethodCross;
extern const HxMethod HxMethodPairs;
extern const HxMethod HxMethodRbin;
extern const HxMethod HxMethodRq;
extern const HxMethod HxMethodPieces;
extern const HxMethod HxMethodLouvain;
extern const HxMethod HxMethodFreq;
extern const HxMethod HxMethodDedup;
extern const HxMethod HxMethodPvdbow;

/* Memory until the end of training; error beyond maintenance_work_mem. */
extern void *HxTrainAlloc(HxTraining *training, size_t count, size_t size,
						  const char *what);

/*
 * An array of HxTrainAlloc, NULL to begin with, made longer: `count` elements
 * become `more`, those that are new zero
 */
extern void *HxTrainGrow(HxTraining *training, void *array, size_t count,
						 size_t more, size_t size, const char *what);

/* Error: x (0) or y (1) is of a type that the method cannot use */
pg_noreturn extern void HxRejectType(const HxTraining *training, int argument,
									 const char *expected);

/* Keys of one method: the value, or the default; error if of another type or
 * out of range */
extern double HxSpecNumber(const HxSpec *spec, const char *key, double dflt,
						   double low, double high);
extern const char *HxSpecText(const HxSpec *spec, const char *key,
							  const char *dflt);

/* Add the rows that were held out to the sums (sums.c). */
extern void HxAddHeld(HxTraining *training);

/* Number of bits, dims and so on: fills draft from training; view 1 */
extern void HxStartDraft(HxTraining *training, HxDraft *draft, int dims);

#endif /* HX_TRAIN_H */
