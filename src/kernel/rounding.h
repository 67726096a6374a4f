/*
 * rounding.h
 *	  A float query rounded to small integers, one for each dimension: what the
 *	  kernel plane_scores tells of a product, and how far that may be off.
 */
#ifndef HX_KERNEL_ROUNDING_H
#define HX_KERNEL_ROUNDING_H

#include <stddef.h>
#include <stdint.h>

/*
 * The product of the query and a code, as float_product gives it, lies within
 * `error` of score * step + offset.
 */
typedef struct HxRounding
{
	double step;
	double offset;
	double error;
} HxRounding;

/* Numbers of a rounded query: one for each bit of a plane */
static inline size_t
hx_rounded_count(size_t dims)
{
	return (dims + 7) / 8 * 8;
}

/*
 * Round a query of finite floats for codes of `planes` planes: numbers[], of
 * hx_rounded_count() bytes, is what plane_scores takes for planes of (dims + 7) / 8
 * bytes.  0, with nothing written, if all components are 0.
 */
extern int hx_round_query(const float *query, size_t dims, int planes,
						  int8_t *numbers, HxRounding *rounding);

/*
 * How far a float_product may be from the product at most, by the sum of its
 * terms' sizes, which are at most |query| times the greatest level's value each.
 */
static inline double
hx_product_error(double sizes, size_t dims)
{
	/* 2^-24 a rounding, doubled; below 2^-126 half of the least float */
	return sizes * (double) (dims / 16 + 8) * 1.2e-7 + (double) dims * 1.5e-45;
}

#endif /* HX_KERNEL_ROUNDING_H */
