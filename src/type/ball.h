/*
 * ball.h
 *	  The type hamming_ball: every code within a radius of a code.
 */
#ifndef HX_BALL_H
#define HX_BALL_H

#include "type/bincode.h"

/* A ball as it is stored; the centre has 1 bit a dimension */
typedef struct HxBall
{
	int32 vl_len_;					   /* varlena header, see SET_VARSIZE */
	int32 radius;					   /* negative: nothing is within */
	int32 shape;					   /* of the centre, as in Bincode */
	uint8 data[FLEXIBLE_ARRAY_MEMBER]; /* of the centre */
} HxBall;

/* The strategy of "code <@ ball" in operator families that can search it */
#define HX_BALL_STRATEGY 12

extern HxCode HxViewBall(Datum value, int32 *radius);

#endif /* HX_BALL_H */
