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
#define HX_MAX_MODEL 256000000 /* bytes */

/* Families: how a model computes its output */
typedef enum HxFamily
{
	HX_LINEAR = 1, /* each view: centre, then blocks of one layer */
	HX_DEEP = 2 /* one view: centre, then three layers: W x + V max(0, U x) */
} HxFamily;

/* What a model puts out */
typedef enum HxOutput
{
	HX_OUT_CODE = 0,
	HX_OUT_FLOAT = 1
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

#endif /* HX_FORMAT_H */
