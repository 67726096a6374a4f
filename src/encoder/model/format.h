/*
 * format.h
 *	  An encoder as bytes, and its view in memory.
 *
 * Pure C over stdint, so that reading hostile bytes is tested and fuzzed
 * without a server.  All numbers are little-endian, all arrays begin at
 * multiples of four bytes.  A model is
 *
 *	  header    HX_MODEL_HEADER bytes, see below
 *	  sections  tag (4 letters), length, contents padded to 4 bytes
 *
 * and the header
 *
 *	   0  "hxmd"             magic
 *	   4  uint16             format, HX_MODEL_FORMAT
 *	   6  uint8 uint8        family, method
 *	   8  uint8 uint8        output, bits a dimension
 *	  10  uint8 uint8        views, flags
 *	  12  uint32             dimensions of the output
 *	  16  uint64             rows it was trained on
 *	  24  float64            loss, as the method defines it
 *	  32  16 bytes           digest: of all bytes, these sixteen taken as 0
 *	  48  16 bytes           code space: codes of one space are comparable
 *
 * The sections, in this order:
 *
 *	  view  one for each view: inputs, features, seed of the features (8
 *	        bytes), number of centres (0 to 2), number of blocks, then inputs and
 *	        outputs of each block; the centres as floats, that of rows, then
 *	        that of queries; the blocks as layers
 *	  deep  number of layers, then inputs and outputs of each, then the layers:
 *	        W, U and V
 *	  book  of codebooks: form, number of books, codewords of each, number of
 *	        sets (1 or 2), then the sets as floats: book after book, of each its
 *	        dimensions, of each dimension one number for every codeword
 *	  cons  of maps: numbers of 8 bytes that the method knows
 *	  tabl  of maps, one for each table: rows, numbers a row, floats a row, limit
 *	        of the numbers; then the keys (8 bytes, signed, rising), then the
 *	        numbers, row by row, each below the limit, then the floats, row by row
 *	  note  what a method keeps for training on: opaque here
 *
 * A layer is its precision (0 identity, 1, 2), a scale and a bias (floats) for
 * every output, and its weights, row by row, a row for each output, in `precision`
 * planes of int8: weight = 128 * first + second, or the first alone.
 */
#ifndef HX_FORMAT_H
#define HX_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define HX_MODEL_MAGIC "hxmd"
#define HX_MODEL_FORMAT 1
#define HX_MODEL_HEADER 64
#define HX_DIGEST_BYTES 16

/* Where the header's parts are */
#define HX_AT_FORMAT 4
#define HX_AT_FAMILY 6
#define HX_AT_METHOD 7
#define HX_AT_OUTPUT 8
#define HX_AT_BITS 9
#define HX_AT_VIEWS 10
#define HX_AT_FLAGS 11
#define HX_AT_DIMS 12
#define HX_AT_ROWS 16
#define HX_AT_LOSS 24
#define HX_AT_DIGEST 32
#define HX_AT_SPACE 48

/* Limits of a model */
#define HX_MAX_VIEWS 4
#define HX_VIEW_QUERY HX_MAX_VIEWS /* the first view with the query's centre */
#define HX_MAX_BLOCKS 16
#define HX_MAX_LAYERS 16
#define HX_MAX_DENSE 16384	   /* inputs and outputs of a layer */
#define HX_MAX_FEATURES 8192   /* of hashed sparse vectors */
#define HX_MAX_BOOKS 1024	   /* of codebooks */
#define HX_MAX_CODEWORDS 65536 /* of a book */
#define HX_MAX_CONSTANTS 16	   /* of a map */
#define HX_MAX_TABLES 4		   /* of a map */
#define HX_MAX_COLUMNS 16384   /* numbers, or floats, of a table's row */
#define HX_MAX_MODEL 256000000 /* bytes */

/* Families: how a model computes its output */
typedef enum HxFamily
{
	HX_LINEAR = 1, /* each view: centre, then blocks of one layer */
	HX_DEEP = 2, /* one view: centre, then three layers: W x + V max(0, U x) */
	HX_CODEBOOK = 3, /* one view: centre, at most one block, then the books */
	HX_MAP = 4		 /* no view: tables from keys to numbers */
} HxFamily;

/* What a model puts out */
typedef enum HxOutput
{
	HX_OUT_CODE = 0,
	HX_OUT_FLOAT = 1,
	HX_OUT_IDS = 2 /* whole numbers; the model has 0 bits */
} HxOutput;

/* Methods; their numbers are stored */
typedef enum HxMethodId
{
	HX_METHOD_RANDOM = 1,
	HX_METHOD_PCA,
	HX_METHOD_ITQ,
	HX_METHOD_CLASS,
	HX_METHOD_FIT,
	HX_METHOD_SHIFT,
	HX_METHOD_CROSS,
	HX_METHOD_PAIRS,
	HX_METHOD_RBIN,
	HX_METHOD_RQ,
	HX_METHOD_PQ,
	HX_METHOD_PIECES,
	HX_METHOD_LOUVAIN,
	HX_METHOD_FREQ,
	HX_METHOD_DEDUP,
	HX_METHOD_PVDBOW,
	HX_METHOD_COUNT /* one more than the last */
} HxMethodId;

/* A method's name, "unknown" if there is no such method */
extern const char *HxMethodName(HxMethodId id);

/* The method of a name, 0 if there is none */
extern HxMethodId HxMethodOfName(const char *name);

/* Flags */
#define HX_FLAG_NORMALIZE 1 /* inputs are scaled to length 1 first */
#define HX_FLAG_SPARSE 2	/* was trained on svec */
#define HX_FLAG_PREFIXES 4	/* ends of blocks are inputs, too */
#define HX_FLAGS 7

/*
 * One affine map: output = scale * (weights . input) + bias, where the input is
 * rounded to integers and the sum is exact.  Of precision 0: output = scale *
 * input + bias.
 */
typedef struct HxLayer
{
	uint32_t inputs;
	uint32_t outputs;
	uint32_t precision;	   /* planes of weights: 0 to 2 */
	const float *scale;	   /* of each output */
	const float *bias;	   /* of each output */
	const int8_t *weights; /* planes of outputs rows of inputs */
} HxLayer;

/* How inputs of one kind enter */
typedef struct HxView
{
	uint32_t inputs;	 /* dimensions of the vectors given */
	uint32_t features;	 /* if not 0, sparse inputs are hashed to this many */
	uint64_t seed;		 /* of that hash */
	const float *center; /* subtracted from inputs or features; or NULL */
	const float *query;	 /* the same for queries, if that differs; or NULL */
	uint32_t blocks;	 /* consecutive parts, a layer each */
	HxLayer block[HX_MAX_BLOCKS];
} HxView;

/* How the books of a codebook share a vector */
typedef enum HxBookForm
{
	HX_RESIDUAL = 0, /* each is for all of it, less what those before say */
	HX_PRODUCT = 1	 /* each is for a part of it: hx_book_start */
} HxBookForm;

/* The books of a codebook */
typedef struct HxBooks
{
	HxBookForm form;
	uint32_t count;		/* books: levels, or parts */
	uint32_t codes;		/* codewords of each */
	uint32_t sets;		/* 1, or 2 */
	uint32_t width;		/* dimensions of what enters */
	const float *word;	/* vectors are assigned by these */
	const float *query; /* what the codewords count for queries; or NULL */
} HxBooks;

/* A table of a map */
typedef struct HxTable
{
	uint32_t rows;
	uint32_t numbers;		/* a row */
	uint32_t floats;		/* a row */
	uint32_t limit;			/* every number is below it */
	const uint8_t *keys;	/* rows of 8 bytes: hx_table_key, hx_find_key */
	const uint32_t *number; /* rows of numbers */
	const float *weight;	/* rows of floats */
} HxTable;

/* A model taken apart; everything points into its bytes */
typedef struct HxModel
{
	const uint8_t *bytes; /* all of it */
	size_t size;
	HxFamily family;
	HxMethodId method;
	HxOutput output;
	int bits;	   /* a dimension, of codes */
	uint32_t dims; /* of the output */
	unsigned flags;
	uint64_t rows;
	double loss;
	uint32_t views;
	HxView view[HX_MAX_VIEWS];
	uint32_t layers; /* of HX_DEEP */
	HxLayer layer[HX_MAX_LAYERS];
	HxBooks books;			 /* of HX_CODEBOOK */
	uint32_t constants;		 /* of HX_MAP */
	const uint8_t *constant; /* 8 bytes each: hx_constant */
	uint32_t tables;		 /* of HX_MAP */
	HxTable table[HX_MAX_TABLES];
	const uint8_t *note; /* or NULL */
	size_t note_size;
	void *decoder; /* of decode.c, made when first needed */
} HxModel;

/* Room for what hx_read_model says of bytes that are no model */
#define HX_MODEL_ERROR 160

/*
 * Take apart and check everything but the digest: lengths, limits, shapes,
 * that floats are finite.  Bytes must be aligned to 4 and stay.  0, or -1 with
 * the reason in `error`.
 */
extern int hx_read_model(uint8_t *bytes, size_t size, HxModel *model,
						 char *error);

/* The row of a key in a table; -1 if there is none */
extern int64_t hx_find_key(const HxTable *table, int64_t key);

/* Little-endian numbers at any address */
extern uint32_t hx_get_u32(const uint8_t *at);
extern uint64_t hx_get_u64(const uint8_t *at);
extern void hx_put_u32(uint8_t *at, uint32_t value);
extern void hx_put_u64(uint8_t *at, uint64_t value);

/* Numbers that enter a view's layers: its features, else its inputs */
static inline uint32_t
hx_view_width(const HxView *view)
{
	return view->features > 0 ? view->features : view->inputs;
}

/* Numbers that a model computes before they become codes or ids */
static inline uint32_t
hx_output_width(const HxModel *model)
{
	return model->family == HX_CODEBOOK ? model->books.width : model->dims;
}

/* The first dimension of a book of a product; of the number of books, the end */
static inline uint32_t
hx_book_start(const HxBooks *books, uint32_t book)
{
	return (uint32_t) ((uint64_t) books->width * book / books->count);
}

/* The key of a table's row */
static inline int64_t
hx_table_key(const HxTable *table, uint32_t row)
{
	return (int64_t) hx_get_u64(table->keys + (size_t) 8 * row);
}

/* A constant of a map */
static inline int64_t
hx_constant(const HxModel *model, uint32_t i)
{
	return (int64_t) hx_get_u64(model->constant + (size_t) 8 * i);
}

#endif /* HX_FORMAT_H */
