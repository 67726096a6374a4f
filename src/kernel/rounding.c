/*
 * rounding.c
 *	  A float query rounded to small integers.
 *
 * Each component is rounded to a number from -127 to 127 of equal steps.  What
 * rounding takes away from a product is, in each dimension, the component's
 * rounding error times what the code's level stands for, which is at most the
 * greatest value that a level has: no code's product is farther off than the sum of
 * these.
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

/* The sum of the components' sizes; *most: the greatest of these. */
static double
sum_sizes(const float *query, size_t dims, double *most)
{
	double sizes = 0;

	*most = 0;
	for (size_t d = 0; d < dims; d++)
	{
		double size = size_of(query[d]);

		sizes += size;
		if (size > *most)
			*most = size;
	}
	return sizes;
}

int
hx_round_query(const float *query, size_t dims, int planes, int8_t *numbers,
			   HxRounding *rounding)
{
	size_t plane_bytes = (dims + 7) / 8;
	double scale = 1 << (planes - 1);
	double greatest = ((1 << planes) - 1) / scale; /* value of a level */
	double most;
	double sizes = sum_sizes(query, dims, &most);
	double step = most / HX_MOST;
	double lost = 0; /* by rounding, without signs */
	int64_t sum = 0; /* of the numbers */

	if (most == 0)
		return 0;
	memset(numbers, 0, hx_rounded_count(dims));
	for (size_t d = 0; d < dims; d++)
	{
		int number = nearest(query[d] / step);

		/* bit 7 of a byte is its first dimension */
		numbers[(7 - d % 8) * plane_bytes + d / 8] = (int8_t) number;
		lost += size_of(query[d] - number * step);
		sum += number;
	}

	/* level v stands for 2 v / scale - greatest */
	rounding->step = step * 2 / scale;
	rounding->offset = -greatest * step * (double) sum;
	rounding->error = lost * greatest * (1 + 1e-9) + sizes * greatest * 1e-9 +
					  hx_product_error(sizes * greatest, dims);
	return 1;
}
