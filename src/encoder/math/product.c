/*
 * product.c
 *	  Products of matrices and vectors.
 *
 * One core does the work: a tile of four rows by 64 bytes, over packed panels
 * of both factors.  It is compiled twice, for the baseline and for AVX2, from
 * the same source with vectors of 16 and of 32 bytes.
 * Lanes are dimensions of the result, or eight or sixteen fixed partial sums,
 * so both give the same bits.
 */
#include "encoder/math/matrix.h"

#include <string.h>

#define ROWS 4		/* of a tile */
#define WIDE 64		/* bytes of a tile's row */
#define DEPTH 256	/* inner length of packed panels */
#define HEIGHT 64	/* rows of a packed panel of the first factor */
#define SPREAD 2048 /* bytes of a row of the second factor's panel */

/* Vectors of 16 bytes, which every machine has, and of 32 */
typedef double Double16 __attribute__((vector_size(16), aligned(8), may_alias));
typedef float Float16 __attribute__((vector_size(16), aligned(4), may_alias));
typedef double Double32 __attribute__((vector_size(32), aligned(8), may_alias));
typedef float Float32 __attribute__((vector_size(32), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

/*
 * tile += panel of a (depth x ROWS) times panel of b (depth x 64 bytes); lanes
 * of a vector are columns.  Two vectors of columns at a time: eight sums fit
 * into the registers.
 */
#define DEFINE_TILE(name, real, vec)                                      \
	INLINE void name(const real *a, const real *b, int depth, real *tile) \
	{                                                                     \
		enum                                                              \
		{                                                                 \
			STEP = WIDE / sizeof(vec)                                     \
		};                                                                \
                                                                          \
		for (int part = 0; part < STEP; part += 2)                        \
		{                                                                 \
			const vec *column = (const vec *) b + part;                   \
			const real *row = a;                                          \
			vec *out = (vec *) tile + part;                               \
			vec s0 = out[0], s1 = out[1];                                 \
			vec s2 = out[STEP], s3 = out[STEP + 1];                       \
			vec s4 = out[2 * STEP], s5 = out[2 * STEP + 1];               \
			vec s6 = out[3 * STEP], s7 = out[3 * STEP + 1];               \
                                                                          \
			for (int i = 0; i < depth; i++, row += ROWS, column += STEP)  \
			{                                                             \
				vec v = column[0], w = column[1];                         \
                                                                          \
				s0 += row[0] * v;                                         \
				s1 += row[0] * w;                                         \
				s2 += row[1] * v;                                         \
				s3 += row[1] * w;                                         \
				s4 += row[2] * v;                                         \
				s5 += row[2] * w;                                         \
				s6 += row[3] * v;                                         \
				s7 += row[3] * w;                                         \
			}                                                             \
			out[0] = s0;                                                  \
			out[1] = s1;                                                  \
			out[STEP] = s2;                                               \
			out[STEP + 1] = s3;                                           \
			out[2 * STEP] = s4;                                           \
			out[2 * STEP + 1] = s5;                                       \
			out[3 * STEP] = s6;                                           \
			out[3 * STEP + 1] = s7;                                       \
		}                                                                 \
	}

/*
 * Inner product: 64 bytes of lanes, by the remainder of the dimension; then
 * lanes are added by halves.
 */
#define DEFINE_DOT(name, real, vec)                                           \
	INLINE real name(const real *a, const real *b, size_t n)                  \
	{                                                                         \
		enum                                                                  \
		{                                                                     \
			LANES = WIDE / sizeof(real),                                      \
			PART = sizeof(vec) / sizeof(real)                                 \
		};                                                                    \
		vec sum[WIDE / sizeof(vec)] = {{0}};                                  \
		real lane[LANES];                                                     \
		size_t i = 0;                                                         \
                                                                              \
		for (; i + LANES <= n; i += LANES)                                    \
		{                                                                     \
			_Pragma("GCC unroll 4") for (size_t p = 0; p < LANES / PART; p++) \
				sum[p] += *(const vec *) (a + i + p * PART) *                 \
						  *(const vec *) (b + i + p * PART);                  \
		}                                                                     \
		memcpy(lane, sum, sizeof(lane));                                      \
		for (; i < n; i++)                                                    \
			lane[i % LANES] += a[i] * b[i];                                   \
		for (int half = LANES / 2; half > 0; half /= 2)                       \
		{                                                                     \
			for (int l = 0; l < half; l++)                                    \
				lane[l] += lane[l + half];                                    \
		}                                                                     \
		return lane[0];                                                       \
	}

/* y += factor * x */
#define DEFINE_MULTIPLE(name, real, vec)                            \
	INLINE void name(real *y, real factor, const real *x, size_t n) \
	{                                                               \
		const size_t lanes = sizeof(vec) / sizeof(real);            \
		size_t i = 0;                                               \
                                                                    \
		for (; i + lanes <= n; i += lanes)                          \
			*(vec *) (y + i) += factor * *(const vec *) (x + i);    \
		for (; i < n; i++)                                          \
			y[i] += factor * x[i];                                  \
	}

/* Turn the plane of two vectors */
#define DEFINE_ROTATE(name, real, vec)                           \
	INLINE void name(real *x, real *y, real c, real s, size_t n) \
	{                                                            \
		const size_t lanes = sizeof(vec) / sizeof(real);         \
		size_t i = 0;                                            \
                                                                 \
		for (; i + lanes <= n; i += lanes)                       \
		{                                                        \
			vec a = *(vec *) (x + i);                            \
			vec b = *(vec *) (y + i);                            \
                                                                 \
			*(vec *) (x + i) = c * a - s * b;                    \
			*(vec *) (y + i) = s * a + c * b;                    \
		}                                                        \
		for (; i < n; i++)                                       \
		{                                                        \
			real a = x[i];                                       \
			real b = y[i];                                       \
                                                                 \
			x[i] = c * a - s * b;                                \
			y[i] = s * a + c * b;                                \
		}                                                        \
	}

/* The cores of a level */
typedef struct Level
{
	void (*tile_double)(const double *, const double *, int, double *);
	void (*tile_float)(const float *, const float *, int, float *);
	double (*dot_double)(const double *, const double *, size_t);
	float (*dot_float)(const float *, const float *, size_t);
	void (*multiple_double)(double *, double, const double *, size_t);
	void (*multiple_float)(float *, float, const float *, size_t);
	void (*rotate_double)(double *, double *, double, double, size_t);
} Level;

/* The functions of a level, compiled for its instructions */
#define DEFINE_LEVEL(name, attribute)                                          \
	attribute static void name##_tile_double(const double *a, const double *b, \
											 int depth, double *tile)          \
	{                                                                          \
		name##_tile_double_body(a, b, depth, tile);                            \
	}                                                                          \
	attribute static void name##_tile_float(const float *a, const float *b,    \
											int depth, float *tile)            \
	{                                                                          \
		name##_tile_float_body(a, b, depth, tile);                             \
	}                                                                          \
	attribute static double name##_dot_double(const double *a,                 \
											  const double *b, size_t n)       \
	{                                                                          \
		return name##_dot_double_body(a, b, n);                                \
	}                                                                          \
	attribute static float name##_dot_float(const float *a, const float *b,    \
											size_t n)                          \
	{                                                                          \
		return name##_dot_float_body(a, b, n);                                 \
	}                                                                          \
	attribute static void name##_multiple_double(double *y, double factor,     \
												 const double *x, size_t n)    \
	{                                                                          \
		name##_multiple_double_body(y, factor, x, n);                          \
	}                                                                          \
	attribute static void name##_multiple_float(float *y, float factor,        \
												const float *x, size_t n)      \
	{                                                                          \
		name##_multiple_float_body(y, factor, x, n);                           \
	}                                                                          \
	attribute static void name##_rotate_double(double *x, double *y, double c, \
											   double s, size_t n)             \
	{                                                                          \
		name##_rotate_double_body(x, y, c, s, n);                              \
	}                                                                          \
	static const Level name = {name##_tile_double,	   name##_tile_float,      \
							   name##_dot_double,	   name##_dot_float,       \
							   name##_multiple_double, name##_multiple_float,  \
							   name##_rotate_double};

DEFINE_TILE(portable_tile_double_body, double, Double16)
DEFINE_TILE(portable_tile_float_body, float, Float16)
DEFINE_DOT(portable_dot_double_body, double, Double16)
DEFINE_DOT(portable_dot_float_body, float, Float16)
DEFINE_MULTIPLE(portable_multiple_double_body, double, Double16)
DEFINE_MULTIPLE(portable_multiple_float_body, float, Float16)
DEFINE_ROTATE(portable_rotate_double_body, double, Double16)
DEFINE_LEVEL(portable, )

#if defined(__x86_64__)
DEFINE_TILE(avx2_tile_double_body, double, Double32)
DEFINE_TILE(avx2_tile_float_body, float, Float32)
DEFINE_DOT(avx2_dot_double_body, double, Double32)
DEFINE_DOT(avx2_dot_float_body, float, Float32)
DEFINE_MULTIPLE(avx2_multiple_double_body, double, Double32)
DEFINE_MULTIPLE(avx2_multiple_float_body, float, Float32)
DEFINE_ROTATE(avx2_rotate_double_body, double, Double32)
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
	level = &portable;
#if defined(__x86_64__)
	if (wanted != 0 && __builtin_cpu_supports("avx2"))
	{
		level = &avx2;
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

void
hx_rotate(double *x, double *y, double c, double s, size_t n)
{
	cores()->rotate_double(x, y, c, s, n);
}

#define REAL double
#define NAME(what) what##_double
#define MULTIPLY hx_multiply
#define TILE cores()->tile_double
#include "encoder/math/product_blocks.h"
#undef REAL
#undef NAME
#undef MULTIPLY
#undef TILE

#define REAL float
#define NAME(what) what##_float
#define MULTIPLY hx_multiply_float
#define TILE cores()->tile_float
#include "encoder/math/product_blocks.h"

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
