/*
 * product.c
 *	  Products of matrices and vectors.
 *
 * One core does the work: a tile of four rows by 64 bytes, over packed panels
 * of both factors.  It is compiled twice, for the baseline and for AVX2, from
 * the same source: vectors of 64 bytes that the compiler cuts to what there is.
 * Lanes are dimensions of the result, or eight or sixteen fixed partial sums,
 * so both give the same bits.
 */
#include "encoder/matrix.h"

#include <string.h>

#define ROWS 4		/* of a tile */
#define WIDE 64		/* bytes of a tile's row */
#define DEPTH 256	/* inner length of packed panels */
#define HEIGHT 64	/* rows of a packed panel of the first factor */
#define SPREAD 2048 /* bytes of a row of the second factor's panel */

typedef double DoubleVec __attribute__((vector_size(WIDE), aligned(8)));
typedef float FloatVec __attribute__((vector_size(WIDE), aligned(4)));

#define INLINE static inline __attribute__((always_inline))

/*
 * tile += panel of a (depth x ROWS) times panel of b (depth x one vector);
 * lanes of a vector are columns.
 */
#define DEFINE_TILE(name, real, vec)                              \
	INLINE void name(const real *a, const real *b, int depth, real *tile) \
	{                                                             \
		const vec *column = (const vec *) b;                      \
		vec *out = (vec *) tile;                                  \
		vec s0 = out[0], s1 = out[1], s2 = out[2], s3 = out[3];   \
                                                                  \
		for (int i = 0; i < depth; i++, a += ROWS)                \
		{                                                         \
			vec v = column[i];                                    \
                                                                  \
			s0 += a[0] * v;                                       \
			s1 += a[1] * v;                                       \
			s2 += a[2] * v;                                       \
			s3 += a[3] * v;                                       \
		}                                                         \
		out[0] = s0;                                              \
		out[1] = s1;                                              \
		out[2] = s2;                                              \
		out[3] = s3;                                              \
	}

DEFINE_TILE(tile_double, double, DoubleVec)
DEFINE_TILE(tile_float, float, FloatVec)

/* Inner product, a lane for each remainder; lanes are added by halves */
#define DEFINE_DOT(name, real, vec)                                \
	INLINE real name(const real *a, const real *b, size_t n)       \
	{                                                              \
		enum                                                       \
		{                                                          \
			LANES = WIDE / sizeof(real)                            \
		};                                                         \
		vec sums[2] = {{0}, {0}};                                  \
		real lane[LANES];                                          \
		size_t i = 0;                                              \
                                                                   \
		for (; i + 2 * LANES <= n; i += 2 * LANES)                 \
		{                                                          \
			sums[0] += *(const vec *) (a + i) * *(const vec *) (b + i); \
			sums[1] += *(const vec *) (a + i + LANES) *            \
					   *(const vec *) (b + i + LANES);             \
		}                                                          \
		sums[0] += sums[1];                                        \
		memcpy(lane, &sums[0], sizeof(lane));                      \
		for (; i < n; i++)                                         \
			lane[i % LANES] += a[i] * b[i];                        \
		for (int half = LANES / 2; half > 0; half /= 2)            \
		{                                                          \
			for (int l = 0; l < half; l++)                         \
				lane[l] += lane[l + half];                         \
		}                                                          \
		return lane[0];                                            \
	}

DEFINE_DOT(dot_double, double, DoubleVec)
DEFINE_DOT(dot_float, float, FloatVec)

#define DEFINE_MULTIPLE(name, real, vec)                           \
	INLINE void name(real *y, real factor, const real *x, size_t n) \
	{                                                              \
		size_t i = 0;                                              \
                                                                   \
		for (; i + WIDE / sizeof(real) <= n; i += WIDE / sizeof(real)) \
			*(vec *) (y + i) += factor * *(const vec *) (x + i);   \
		for (; i < n; i++)                                         \
			y[i] += factor * x[i];                                 \
	}

DEFINE_MULTIPLE(multiple_double, double, DoubleVec)
DEFINE_MULTIPLE(multiple_float, float, FloatVec)

/* The six cores of a level */
typedef struct Level
{
	void (*tile_double)(const double *, const double *, int, double *);
	void (*tile_float)(const float *, const float *, int, float *);
	double (*dot_double)(const double *, const double *, size_t);
	float (*dot_float)(const float *, const float *, size_t);
	void (*multiple_double)(double *, double, const double *, size_t);
	void (*multiple_float)(float *, float, const float *, size_t);
} Level;

#define DEFINE_LEVEL(suffix, attribute)                                       \
	attribute static void tile_double_##suffix(const double *a,               \
											   const double *b, int depth,    \
											   double *tile)                  \
	{                                                                         \
		tile_double(a, b, depth, tile);                                       \
	}                                                                         \
	attribute static void tile_float_##suffix(const float *a, const float *b, \
											  int depth, float *tile)         \
	{                                                                         \
		tile_float(a, b, depth, tile);                                        \
	}                                                                         \
	attribute static double dot_double_##suffix(const double *a,              \
												const double *b, size_t n)    \
	{                                                                         \
		return dot_double(a, b, n);                                           \
	}                                                                         \
	attribute static float dot_float_##suffix(const float *a, const float *b, \
											  size_t n)                       \
	{                                                                         \
		return dot_float(a, b, n);                                            \
	}                                                                         \
	attribute static void multiple_double_##suffix(                           \
		double *y, double factor, const double *x, size_t n)                  \
	{                                                                         \
		multiple_double(y, factor, x, n);                                     \
	}                                                                         \
	attribute static void multiple_float_##suffix(                            \
		float *y, float factor, const float *x, size_t n)                     \
	{                                                                         \
		multiple_float(y, factor, x, n);                                      \
	}                                                                         \
	static const Level level_##suffix = {                                     \
		tile_double_##suffix, tile_float_##suffix,                            \
		dot_double_##suffix,  dot_float_##suffix,                             \
		multiple_double_##suffix, multiple_float_##suffix};

DEFINE_LEVEL(portable, )

#if defined(__x86_64__)
DEFINE_LEVEL(avx2, __attribute__((target("avx2"))))
#endif

/* The level in use; chosen at the first call */
static const Level *level;

/*
 * Use a level; a negative one stands for the best there is.  Returns the one
 * in use, which is lower where the machine has no better.
 */
int
hx_matrix_level(int wanted)
{
	level = &level_portable;
#if defined(__x86_64__)
	if (wanted != 0 && __builtin_cpu_supports("avx2"))
	{
		level = &level_avx2;
		return 1;
	}
#endif
	return 0;
}

/* The cores to use */
static inline const Level *
cores(void)
{
	if (level == NULL)
		(void) hx_matrix_level(-1);
	return level;
}

double
hx_dot(const double *a, const double *b, size_t n)
{
	return cores()->dot_double(a, b, n);
}

float
hx_dot_float(const float *a, const float *b, size_t n)
{
	return cores()->dot_float(a, b, n);
}

void
hx_add_multiple(double *y, double factor, const double *x, size_t n)
{
	cores()->multiple_double(y, factor, x, n);
}

void
hx_add_multiple_float(float *y, float factor, const float *x, size_t n)
{
	cores()->multiple_float(y, factor, x, n);
}

#define REAL double
#define NAME(what) what##_double
#define MULTIPLY hx_multiply
#define TILE cores()->tile_double
#include "encoder/product_blocks.h"
#undef REAL
#undef NAME
#undef MULTIPLY
#undef TILE

#define REAL float
#define NAME(what) what##_float
#define MULTIPLY hx_multiply_float
#define TILE cores()->tile_float
#include "encoder/product_blocks.h"

/* Rows whose products are added at once by the two functions below */
#define BATCH 256

/* Floats as doubles */
static void
widen(double *to, const float *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[i];
}

void
hx_add_products(const float *x, const float *y, int n, int d, int e,
				double *sum)
{
	double *wide_x = hx_matrix_alloc((size_t) BATCH * d, sizeof(double));
	double *wide_y = hx_matrix_alloc((size_t) BATCH * e, sizeof(double));

	for (int i = 0; i < n; i += BATCH)
	{
		int rows = n - i < BATCH ? n - i : BATCH;

		widen(wide_x, x + (size_t) i * d, (size_t) rows * d);
		widen(wide_y, y + (size_t) i * e, (size_t) rows * e);
		hx_multiply(HX_TRANSPOSED, HX_AS_IS, d, e, rows, wide_x, wide_y, 1.0,
					sum);
	}
	hx_matrix_free(wide_x);
	hx_matrix_free(wide_y);
}

/* The columns of x are cut to strips, so that half of the work is left out. */
void
hx_add_squares(const float *x, int n, int d, double *sum)
{
	enum
	{
		STRIP = 128
	};
	double *wide = hx_matrix_alloc((size_t) BATCH * d, sizeof(double));
	double *strip = hx_matrix_alloc((size_t) BATCH * STRIP, sizeof(double));
	double *part = hx_matrix_alloc((size_t) d * STRIP, sizeof(double));

	for (int i = 0; i < n; i += BATCH)
	{
		int rows = n - i < BATCH ? n - i : BATCH;

		for (int first = 0; first < d; first += STRIP)
		{
			int columns = d - first < STRIP ? d - first : STRIP;
			int rest = d - first;

			for (int r = 0; r < rows; r++)
			{
				const float *row = x + (size_t) (i + r) * d + first;

				widen(wide + (size_t) r * rest, row, rest);
				widen(strip + (size_t) r * columns, row, columns);
			}
			hx_multiply(HX_TRANSPOSED, HX_AS_IS, rest, columns, rows, wide,
						strip, 0.0, part);
			for (int r = 0; r < rest; r++)
			{
				double *to = sum + (size_t) (first + r) * d + first;
				int last = r < columns ? r + 1 : columns;

				for (int c = 0; c < last; c++)
					to[c] += part[(size_t) r * columns + c];
			}
		}
	}
	hx_matrix_free(wide);
	hx_matrix_free(strip);
	hx_matrix_free(part);
}
