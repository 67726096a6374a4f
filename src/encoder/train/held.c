/*
 * held.c
 *	  How well codes of two sides find each other, of pairs that were not learnt
 *	  from.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/math/matrix.h"
#include "encoder/train/held.h"

/* Rows that ask at a time */
#define BATCH 64

/* Numbers become their signs. */
static void
take_signs(float *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		numbers[i] = numbers[i] > 0.0f ? 1.0f : -1.0f;
}

/* Place of an answer by falling scores; ties count half */
static double
place_answer(const float *score, int n, int answer)
{
	double place = 1.0;

	for (int j = 0; j < n; j++)
	{
		if (j != answer)
			place += score[j] > score[answer]	 ? 1.0
					 : score[j] == score[answer] ? 0.5
												 : 0.0;
	}
	return place;
}

/*
 * Places of b's rows by the codes' distance from the rows of a with the same
 * numbers; a and b become their signs.
 */
static double *
place_all(float *a, float *b, int n, int bits)
{
	float *score =
		palloc_extended((size_t) BATCH * n * sizeof(float), MCXT_ALLOC_HUGE);
	double *place = palloc(n * sizeof(double));

	Assert(n > 0 && bits > 0);
	take_signs(a, (size_t) n * bits);
	take_signs(b, (size_t) n * bits);
	for (int first = 0; first < n; first += BATCH)
	{
		int m = Min(BATCH, n - first);

		CHECK_FOR_INTERRUPTS();
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, m, n, bits,
						  a + (size_t) first * bits, b, 0.0f, score);
		for (int i = 0; i < m; i++)
			place[first + i] =
				place_answer(score + (size_t) i * n, n, first + i);
	}
	pfree(score);
	return place;
}

double
HxMatchCodes(float *a, float *b, int n, int bits, double share)
{
	double *place = place_all(a, b, n, bits);
	double near = Max(share * n, 1.0);
	double sum = 0.0;

	for (int i = 0; i < n; i++)
		sum += place[i] <= near;
	pfree(place);
	return sum / n;
}

void
HxAskMatches(float *a, float *b, int n, int bits, double share, float *near,
			 float *told)
{
	double *place = place_all(a, b, n, bits);

	for (int i = 0; i < n; i++)
	{
		near[i] += place[i] <= Max(share * n, 1.0) ? 1.0f : 0.0f;
		told[i] += (float) log(n / place[i]);
	}
	pfree(place);
}

void
HxShuffle(int *numbers, int count, HxRandom *random)
{
	for (int i = count - 1; i > 0; i--)
	{
		int j = (int) hx_random_below(random, i + 1);
		int number = numbers[i];

		numbers[i] = numbers[j];
		numbers[j] = number;
	}
}
