/*
 * rounding.c
 *	  A float query rounded to small integers.
 *
 * A level is the sum of its bits, so a product with levels is a sum over bits:
 * of plane p, from the least significant, bit times component times 2^p.  Each of
 * these factors is rounded by itself to a number from -127 to 127.  What rounding
 * takes away is then a sum over the bits that are set, between that of all its
 * negative and that of all its positive terms: no code's product is farther off.
 * A component of the heaviest plane has eight bits, one of the others fewer, but
 * their rounding errors are not multiplied by a weight.
 */
#include "kernel/rounding.h"

#include <string.h>

#include "kernel/level.h"

/* Greatest number of a rounded query */
#define HX_MOST 127

static double
size_of(double value)
{
	return value < 0 ? -value : value;
}

/* The nearest integer; halves away from zero */
static int
nearest(double value)
{
	return (int) (value < 0 ? value - 0.5 : value + 0.5);
}

/* What the products of a query with codes consist of */
typedef struct Sums
{
	double components; /* sum */
	double sizes;	   /* of the components, without their signs */
	double most;	   /* the greatest of these */
	double above;	   /* what rounding takes away at most ... */
	double below;	   /* ... and at least, which is below 0 */
} Sums;

static void
sum_components(const float *query, size_t dims, Sums *sums)
{
	memset(sums, 0, sizeof(Sums));
	for (size_t d = 0; d < dims; d++)
	{
		double size = size_of(query[d]);

		sums->components += query[d];
		sums->sizes += size;
		if (size > sums->most)
			sums->most = size;
	}
}

/* Round one plane's factors; `weight` is what a bit of it counts. */
static void
round_plane(const float *query, size_t dims, double weight, double step,
			size_t bytes, int8_t *numbers, Sums *sums)
{
	double steps = 1 / step;

	for (size_t d = 0; d < dims; d++)
	{
		double factor = query[d] * weight;
		int number = nearest(factor * steps);
		double lost = factor - number * step;

		/* bit 7 of a byte is its first dimension */
		numbers[(7 - d % 8) * bytes + d / 8] = (int8_t) number;
		if (lost > 0)
			sums->above += lost;
		else
			sums->below += lost;
	}
}

int
hx_round_query(const float *query, size_t dims, int planes, int8_t *numbers,
			   HxRounding *rounding)
{
	size_t plane_bytes = (dims + 7) / 8;
	size_t bytes = plane_bytes * (size_t) planes;
	double scale = 1 << (planes - 1);
	double greatest = ((1 << planes) - 1) / scale; /* value of a level */
	double step;
	Sums sums;

	sum_components(query, dims, &sums);
	if (sums.most == 0)
		return 0;
	step = sums.most * scale / HX_MOST;
	memset(numbers, 0, hx_rounded_count(dims, planes));
	for (int p = 0; p < planes; p++)
		round_plane(query, dims, 1 << (planes - 1 - p), step, bytes,
					numbers + plane_bytes * (size_t) p, &sums);

	/* level v stands for 2 v / scale - greatest */
	rounding->step = step * 2 / scale;
	rounding->offset =
		(sums.above + sums.below) / scale - sums.components * greatest;
	rounding->error = (sums.above - sums.below) / scale * (1 + 1e-9) +
					  sums.sizes * greatest * 1e-9 +
					  hx_product_error(sums.sizes * greatest, dims);
	return 1;
}
