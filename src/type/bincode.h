/*
 * bincode.h
 *	  The type bincode(n, b): n dimensions of b bits each, b = 1 to 4.
 *
 * On disk a code is a varlena of a shape and its bits, plane by plane, the
 * most significant plane first.  With b = 1 that is the layout of bit, so bit
 * values are taken as they are, once the cast has seen that they are not longer
 * than any code.  Every read goes through HxViewCode or DatumGetBincode, which
 * check the size again.
 */
#ifndef HX_BINCODE_H
#define HX_BINCODE_H

#include "postgres.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

#include "compat.h"
#include "settings.h"
#include "type/distance.h"

/* A code as it is stored, not compressed and with a long header */
typedef struct Bincode
{
	int32 vl_len_; /* varlena header, see SET_VARSIZE */
	int32 shape;   /* dimensions | (planes - 1) << 16, also the typmod */
	uint8 data[FLEXIBLE_ARRAY_MEMBER]; /* planes, each of full bytes */
} Bincode;

/* A code taken apart for reading, wherever its bytes lie */
typedef struct HxCode
{
	int dims;			/* dimensions */
	int planes;			/* bits a dimension */
	size_t plane_bytes; /* bytes of one plane */
	size_t bytes;		/* bytes of all planes */
	const uint8 *data;	/* not aligned */
	void *value;		/* the varlena around it */
} HxCode;

#define HX_SHAPE(dims, planes) ((int32) (dims) | ((int32) (planes) -1) << 16)
#define HX_SHAPE_DIMS(shape) ((int) ((shape) &0xFFFF))
#define HX_SHAPE_PLANES(shape) ((int) ((shape) >> 16) + 1)

#define HX_PLANE_BYTES(dims) (((size_t) (dims) + 7) / 8)
#define HX_BINCODE_HEADER offsetof(Bincode, data)

#define DatumGetBincode(d) HxDatumGetBincode(d)
#define PG_GETARG_BINCODE(i) HxDatumGetBincode(PG_GETARG_DATUM(i))
#define PG_GETARG_CODE(i) HxViewCode(PG_GETARG_DATUM(i))
#define PG_RETURN_BINCODE(code) PG_RETURN_POINTER(code)

/* Length of the longest name that HxShapeName writes, with its zero */
#define HX_SHAPE_NAME 32

extern void HxShapeOf(int32 typmod, int *dims, int *planes);
extern HxCode HxViewCode(Datum value);
extern HxCode HxViewBincode(Bincode *code);
extern HxCode HxViewPayload(const void *payload, size_t size, void *value);
extern bool HxTryViewCode(Datum value, HxCode *code);
extern Bincode *HxDatumGetBincode(Datum value);
extern Bincode *HxNewBincode(int dims, int planes);
extern const char *HxShapeName(int dims, int planes, char *buffer);
extern bool HxMatchShapes(int dims, int planes, int other_dims,
						  int other_planes, const char *detail,
						  struct Node *escontext);
extern void HxCheckSameShape(const HxCode *a, const HxCode *b);
extern void HxCheckOnePlane(const HxCode *code, const char *what);
extern Bincode *HxParseBincode(const char *text, size_t length,
							   struct Node *escontext);
extern int HxQuotedBytes(const char *text, size_t length);
extern char *HxFormatBincode(const HxCode *code);
extern Bincode *HxReceiveBincode(StringInfo message);
extern int HxFindStrayBits(const uint8 *data, int dims, int planes);
extern int HxCompareCodes(const HxCode *a, const HxCode *b);
extern double HxCodeDistance(HxMetric metric, const HxCode *a, const HxCode *b);
extern uint32 HxHammingDistance(const HxCode *a, const HxCode *b);

/* Bit of a dimension, counted from 0, in a plane */
static inline int
HxGetBit(const uint8 *plane, int dim)
{
	return plane[dim >> 3] >> (7 - (dim & 7)) & 1;
}

/* Set the bit of a dimension, counted from 0, in a plane */
static inline void
HxSetBit(uint8 *plane, int dim)
{
	plane[dim >> 3] |= 0x80 >> (dim & 7);
}

/* Free what reading copied: for callers that no short-lived context serves */
static inline void
HxReleaseCode(const HxCode *code, Datum value)
{
	if (code->value != DatumGetPointer(value))
		pfree(code->value);
}

#endif /* HX_BINCODE_H */
