/*
 * dense.c
 *	  The kernels of dense vectors in plain C, which all levels must match.
 */
#include <string.h>

#include "kernel/level.h"

/*
 * Scores of codes of `width` bits a level, a constant: level `part * bytes + i`
 * is at bit `part * width` of byte i.
 */
HX_INLINE void
level_scores(const int8_t *query, int width, size_t bytes, HxCodes codes,
			 int32_t *score)
{
	unsigned mask = (1u << width) - 1;

	for (size_t r = 0; r < codes.count; r++)
	{
		const uint8_t *code = codes.base + r * codes.stride;
		int32_t sum = 0;

		for (int part = 0; part < 8 / width; part++)
		{
			const int8_t *met = query + (size_t) part * bytes;

			for (size_t i = 0; i < bytes; i++)
				sum += met[i] * (int32_t) (code[i] >> (part * width) & mask);
		}
		score[r] = sum;
	}
}

static void
hx_nibble_scores_plain(const int8_t *query, size_t bytes, HxCodes codes,
					   int32_t *score)
{
	level_scores(query, 4, bytes, codes, score);
}

/* Bytes whose tables are made at a time, and rows from which on they pay */
#define TABLED_BYTES 32
#define TABLED_ROWS 12

/* What each value of the two halves of a byte adds to a score */
typedef struct HalfTables
{
	int16_t low[16];
	int16_t high[16];
} HalfTables;

/*
 * The tables of the query's byte `at`: a value adds what it does without its
 * lowest bit, and that bit.
 */
static void
make_tables(const int8_t *query, size_t bytes, size_t at, HalfTables *tables)
{
	tables->low[0] = tables->high[0] = 0;
	for (int v = 1; v < 16; v++)
	{
		size_t lowest = (size_t) __builtin_ctz((unsigned) v);

		tables->low[v] =
			(int16_t) (tables->low[v & (v - 1)] + query[lowest * bytes + at]);
		tables->high[v] = (int16_t) (tables->high[v & (v - 1)] +
									 query[(lowest + 4) * bytes + at]);
	}
}

/* Of many rows, sums of four bits at a time are looked up. */
static void
hx_pair_scores_plain(const int8_t *query, size_t bytes, HxCodes codes,
					 int32_t *score)
{
	level_scores(query, 2, bytes, codes, score);
}

static void
hx_bit_scores_plain(const int8_t *query, size_t bytes, HxCodes codes,
					int32_t *score)
{
	HalfTables tables[TABLED_BYTES];

	if (codes.count < TABLED_ROWS)
	{
		level_scores(query, 1, bytes, codes, score);
		return;
	}
	memset(score, 0, codes.count * sizeof(int32_t));
	for (size_t start = 0; start < bytes; start += TABLED_BYTES)
	{
		size_t count =
			bytes - start < TABLED_BYTES ? bytes - start : TABLED_BYTES;

		for (size_t i = 0; i < count; i++)
			make_tables(query, bytes, start + i, &tables[i]);
		for (size_t r = 0; r < codes.count; r++)
		{
			const uint8_t *code = codes.base + r * codes.stride + start;
			int32_t sum = 0;

			for (size_t i = 0; i < count; i++)
				sum +=
					tables[i].low[code[i] & 15] + tables[i].high[code[i] >> 4];
			score[r] += sum;
		}
	}
}

static void
hx_plane_scores_plain(const int8_t *query, size_t plane_bytes, int planes,
					  HxCodes codes, int32_t *score)
{
	plane_scores_by_bits(hx_bit_scores_plain, query, plane_bytes, planes, codes,
						 score);
}

/* Add up sixteen lanes of floats: l and l + 8, then l and l + 4, and so on. */
HX_INLINE float
sum_floats(float *lane)
{
	for (int half = HX_LANES / 2; half > 0; half /= 2)
	{
		for (int l = 0; l < half; l++)
			lane[l] += lane[l + half];
	}
	return lane[0];
}

/* What one dimension adds to a sum: a product, or a squared difference */
HX_INLINE float
float_term(float a, float b, int squared)
{
	float difference = a - b;

	return squared ? difference * difference : a * b;
}

/* Inner products, or squared distances, of the query and each row. */
HX_INLINE void
float_rows(const float *query, size_t dims, HxFloatRows rows, int squared,
		   float *sums)
{
	size_t whole = dims / HX_LANES * HX_LANES;

	for (size_t r = 0; r < rows.count; r++)
	{
		const float *row = rows.base + r * rows.stride;
		float lane[HX_LANES] = {0};

		for (size_t d = 0; d < whole; d += HX_LANES)
		{
			for (size_t l = 0; l < HX_LANES; l++)
			{
				float term = float_term(query[d + l], row[d + l], squared);

				lane[l] += term;
			}
		}
		for (size_t d = whole; d < dims; d++)
		{
			float term = float_term(query[d], row[d], squared);

			lane[d - whole] += term;
		}
		sums[r] = sum_floats(lane);
	}
}

static void
hx_inner_plain(const float *query, size_t dims, HxFloatRows rows,
			   float *product)
{
	float_rows(query, dims, rows, 0, product);
}

static void
hx_inner_many_plain(HxFloatRows queries, size_t dims, HxFloatRows rows,
					float *product, size_t stride)
{
	inner_by_groups(hx_inner_plain, queries, dims, rows, product, stride);
}

static void
hx_squares_plain(const float *query, size_t dims, HxFloatRows rows,
				 float *square)
{
	float_rows(query, dims, rows, 1, square);
}

static double
hx_product_plain(const float *a, const float *b, size_t dims)
{
	double lane[HX_LANES] = {0};

	for (size_t d = 0; d < dims; d++)
		lane[d % HX_LANES] += (double) a[d] * (double) b[d];
	return sum_sixteen(lane);
}

static double
hx_square_plain(const float *a, const float *b, size_t dims)
{
	double lane[HX_LANES] = {0};

	for (size_t d = 0; d < dims; d++)
	{
		double difference = (double) a[d] - (double) b[d];
		double square = difference * difference;

		lane[d % HX_LANES] += square;
	}
	return sum_sixteen(lane);
}

/*
 * A half as a float.  But for infinity and NaN its bits, moved into place, are
 * a float that is 2^112 times too small, subnormal ones included.
 */
HX_INLINE float
widen_one(uint16_t half)
{
	uint32_t sign = (uint32_t) (half & 0x8000) << 16;
	uint32_t bits = (uint32_t) (half & 0x7fff) << 13;
	float wide;

	if (bits >= UINT32_C(0x0f800000))
	{
		bits |= UINT32_C(0x7f800000);
		if (bits > UINT32_C(0x7f800000))
			bits |= UINT32_C(0x00400000);
	}
	else
	{
		memcpy(&wide, &bits, sizeof(wide));
		wide *= 0x1p112f;
		memcpy(&bits, &wide, sizeof(bits));
	}
	bits |= sign;
	memcpy(&wide, &bits, sizeof(wide));
	return wide;
}

static void
hx_widen_half_plain(const uint16_t *from, size_t count, float *to)
{
	for (size_t i = 0; i < count; i++)
		to[i] = widen_one(from[i]);
}

static void
hx_hadamard_plain(float *x, size_t count)
{
	for (size_t distance = 1; distance < count; distance *= 2)
	{
		for (size_t start = 0; start < count; start += 2 * distance)
		{
			for (size_t i = start; i < start + distance; i++)
			{
				float first = x[i];
				float second = x[i + distance];

				x[i] = first + second;
				x[i + distance] = first - second;
			}
		}
	}
}

static void
hx_flip_plain(float *x, size_t count, const uint8_t *signs)
{
	for (size_t i = 0; i < count; i++)
	{
		if (signs[i / 8] >> i % 8 & 1)
			x[i] = -x[i];
	}
}

/* The greatest products of eight tokens with some codes, added up */
static int32_t
token_sum(HxTokenTables tables, const uint32_t *codes, size_t count)
{
	int32_t best[HX_TOKEN_LANES];
	int32_t sum = 0;

	for (size_t c = 0; c < count; c++)
	{
		const int16_t *first = tables.first + codes[c] % 2048 * 8;
		const int16_t *second = tables.second + (codes[c] >> 11) % 512 * 8;
		const int16_t *third = tables.third + (codes[c] >> 20) % 512 * 8;
		int32_t factor = HX_TOKEN_FACTOR((int32_t) (codes[c] >> 29));

		for (int l = 0; l < HX_TOKEN_LANES; l++)
		{
			int32_t product =
				(int16_t) (first[l] + second[l] + third[l]) * factor >> 16;

			if (c == 0 || product > best[l])
				best[l] = product;
		}
	}
	for (int l = 0; count > 0 && l < HX_TOKEN_LANES; l++)
		sum += best[l];
	return sum;
}

static void
hx_token_sums_plain(HxTokenTables tables, const HxTokenLists *lists,
					int32_t *sum)
{
	size_t start = lists->start;

	for (size_t i = 0; i < lists->count; i++)
	{
		size_t end = list_end(*lists, i);

		sum[i] += token_sum(tables, lists->codes + start, end - start);
		start = end;
	}
}

/* The greatest bytes of eight tokens of some codes, added up */
static int32_t
token_glance(const uint8_t *table, const uint32_t *codes, size_t count)
{
	uint8_t best[HX_TOKEN_LANES] = {0};
	int32_t sum = 0;

	for (size_t c = 0; c < count; c++)
	{
		const uint8_t *entry =
			table + codes[c] % HX_TOKEN_FIRST * HX_TOKEN_LANES;

		for (int l = 0; l < HX_TOKEN_LANES; l++)
			best[l] = entry[l] > best[l] ? entry[l] : best[l];
	}
	for (int l = 0; l < HX_TOKEN_LANES; l++)
		sum += best[l];
	return sum;
}

static void
hx_token_glances_plain(const uint8_t *table, HxTokenLists lists,
					   int32_t *glance)
{
	size_t start = lists.start;

	for (size_t i = 0; i < lists.count; i++)
	{
		size_t end = list_end(lists, i);

		glance[i] += token_glance(table, lists.codes + start, end - start);
		start = end;
	}
}

void
hx_number_scores_plain(const int16_t *query, size_t dims, const int8_t *rows,
					   size_t stride, size_t count, int32_t *score)
{
	for (size_t r = 0; r < count; r++)
	{
		const int8_t *row = rows + r * stride;
		int32_t sum = 0;

		for (size_t d = 0; d < dims; d++)
			sum += query[d] * row[d];
		score[r] = sum;
	}
}

/* Glances not above 0 wrap around. */
uint64_t
hx_great_glances_plain(const int32_t *glance, size_t count, int32_t least)
{
	uint64_t bits = 0;

	while (count-- > 0)
		bits = bits + bits +
			   ((uint32_t) glance[count] - 1 >= (uint32_t) least - 1);
	return bits;
}

const HxDenseKernels hx_dense_plain = {
	.nibble_scores = hx_nibble_scores_plain,
	.pair_scores = hx_pair_scores_plain,
	.bit_scores = hx_bit_scores_plain,
	.plane_scores = hx_plane_scores_plain,
	.inner = hx_inner_plain,
	.inner_many = hx_inner_many_plain,
	.number_scores = hx_number_scores_plain,
	.squares = hx_squares_plain,
	.product = hx_product_plain,
	.square = hx_square_plain,
	.widen_half = hx_widen_half_plain,
	.hadamard = hx_hadamard_plain,
	.flip = hx_flip_plain,
	.token_sums = hx_token_sums_plain,
	.token_glances = hx_token_glances_plain,
	.great_glances = hx_great_glances_plain,
};
