/*
 * codebook.c
 *	  Codes of tokens: learning codebooks from a sample, and encoding.
 *
 * See README, "Codes".  Each codebook is trained by k-means on what those before it
 * leave of the tokens.  Its centres are kept as small integers, which are what
 * tokens are compared with, and in groups of near ones: a token is compared with
 * the centres of the nearest groups alone.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "index/multi/multi.h"
#include "index/page/inject.h"
#include "random.h"

/* Tokens that a codebook is trained on at most, and for each centre at least */
#define MOST_TRAINED 32768
#define TOKENS_A_CENTRE 12
/* Rounds of k-means; and of that which makes groups of centres */
#define ROUNDS 4
#define GROUP_ROUNDS 3
/* Groups that a token's centre is looked for in */
#define GROUPS_TRIED 8
/* Rows that the error is measured with: queries, others, and the nearest */
#define ERROR_QUERIES 24
#define ERROR_ROWS 400
#define ERROR_NEAREST 12

/* ---- finding the nearest ---- */

/* Half of the squared length of vectors */
static void
find_halves(const float *vectors, int count, int dims, float *halves)
{
	for (int i = 0; i < count; i++)
	{
		const float *vector = vectors + (Size) i * dims;

		halves[i] = (float) (HxTokenProduct(vector, vector, dims) / 2);
	}
}

/* The nearest of some vectors: that of the greatest product less half */
static int
nearest_of(const float *x, int dims, const float *vectors, const float *halves,
		   int count, float *products, float *greatest)
{
	HxFloatRows rows = {vectors, dims, count};
	int best = 0;

	HxTokenProducts(x, dims, rows, products);
	*greatest = -FLT_MAX;
	for (int i = 0; i < count; i++)
		if (products[i] - halves[i] > *greatest)
		{
			*greatest = products[i] - halves[i];
			best = i;
		}
	return best;
}

/* Groups whose middles are nearest; returns how many. */
static int
nearest_groups(const HxCodebook *book, const float *x, int dims,
			   float *products, int *groups)
{
	HxFloatRows rows = {book->middles, dims, book->ngroups};
	float values[GROUPS_TRIED];
	int count = 0;

	HxTokenProducts(x, dims, rows, products);
	for (int g = 0; g < book->ngroups; g++)
	{
		float value = products[g] - book->middle_halves[g];
		int at = count < GROUPS_TRIED ? count++ : GROUPS_TRIED;

		for (; at > 0 && value > values[at - 1]; at--)
			if (at < GROUPS_TRIED)
			{
				values[at] = values[at - 1];
				groups[at] = groups[at - 1];
			}
		if (at < GROUPS_TRIED)
		{
			values[at] = value;
			groups[at] = g;
		}
	}
	return count;
}

/* The centre nearest to what is left of a token, as good as always */
static int
find_centre(const HxCodebook *book, const float *x, int dims, float *products)
{
	int groups[GROUPS_TRIED];
	int count = nearest_groups(book, x, dims, products, groups);
	float greatest = -FLT_MAX;
	int best = 0;

	for (int g = 0; g < count; g++)
	{
		int start = groups[g] > 0 ? book->ends[groups[g] - 1] : 0;
		float value;
		int at = nearest_of(x, dims, book->centres + (Size) start * dims,
							book->halves + start, book->ends[groups[g]] - start,
							products, &value);

		if (value > greatest)
		{
			greatest = value;
			best = start + at;
		}
	}
	return best;
}

/* Centres of the greatest codebook */
static int
most_centres(const HxCodebooks *books)
{
	int most = 0;

	for (int level = 0; level < HX_LEVELS; level++)
		most = Max(most, books->books[level].count);
	return most;
}

/* Take a codebook's nearest centre from what is left of a token. */
static int
take_centre(const HxCodebook *book, float *left, int dims, float *products)
{
	int at = find_centre(book, left, dims, products);
	const float *centre = book->centres + (Size) at * dims;

	for (int i = 0; i < dims; i++)
		left[i] -= centre[i];
	return at;
}

/* The step that brings what codes stand for nearest to a length */
static uint32
choose_step(double length2, double decoded2)
{
	double factor = decoded2 > 0 ? sqrt(length2 / decoded2) : 1;
	double step = rint((factor - 1) * 10);

	if (!(step > 0))
		return 0;
	return (uint32) Min(step, HX_MARK_STEPS - 1);
}

/*
 * Encode a token; `left` has room for a token.  Returns the squared length of what
 * the code leaves out.
 */
static double
encode_token(const HxCodebooks *books, const float *token, uint32 *mark,
			 float *left, float *products)
{
	int dims = books->dims;
	float factor;
	uint32 step;

	*mark = 0;
	memcpy(left, token, dims * sizeof(float));
	for (int level = 0; level < HX_LEVELS; level++)
		*mark |=
			(uint32) take_centre(&books->books[level], left, dims, products)
			<< HX_MARK_SHIFT(level);
	for (int i = 0; i < dims; i++)
		left[i] = token[i] - left[i]; /* what the code stands for */
	step = choose_step(HxTokenProduct(token, token, dims),
					   HxTokenProduct(left, left, dims));
	*mark |= step << HX_MARK_STEP_SHIFT;
	factor = HxMarkFactor(*mark);
	for (int i = 0; i < dims; i++)
		left[i] = token[i] - factor * left[i];
	return HxTokenProduct(left, left, dims);
}

float
HxEncodeTokens(const HxCodebooks *books, const float *floats, int count,
			   uint32 *marks)
{
	float *left = palloc(books->dims * sizeof(float));
	float *products = palloc(most_centres(books) * sizeof(float));
	double most = 0;

	for (int t = 0; t < count; t++)
	{
		double left2 = encode_token(books, floats + (Size) t * books->dims,
									&marks[t], left, products);

		/* Also where it is NaN */
		most = left2 <= most ? most : left2;
	}
	pfree(left);
	pfree(products);
	return (float) sqrt(most);
}

/* ---- k-means ---- */

/* Vectors that are put into clusters */
typedef struct Clusters
{
	const float *vectors;
	int count;
	int dims;
	int nclusters;
	float *centres; /* nclusters */
	float *halves;
	int *nearest; /* of each vector */
	float *products;
	uint64 random;
} Clusters;

/* Make the centres the means of their vectors; those without get another one. */
static void
move_centres(Clusters *clusters)
{
	int dims = clusters->dims;
	double *sums =
		palloc_extended((Size) clusters->nclusters * dims * sizeof(double),
						MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int *counts = palloc0(clusters->nclusters * sizeof(int));

	for (int i = 0; i < clusters->count; i++)
	{
		double *sum = sums + (Size) clusters->nearest[i] * dims;
		const float *vector = clusters->vectors + (Size) i * dims;

		for (int d = 0; d < dims; d++)
			sum[d] += vector[d];
		counts[clusters->nearest[i]]++;
	}
	for (int c = 0; c < clusters->nclusters; c++)
	{
		float *centre = clusters->centres + (Size) c * dims;
		int other = (int) HxRandomBelow(&clusters->random, clusters->count);

		if (counts[c] == 0)
			memcpy(centre, clusters->vectors + (Size) other * dims,
				   dims * sizeof(float));
		for (int d = 0; d < dims && counts[c] > 0; d++)
			centre[d] = (float) (sums[(Size) c * dims + d] / counts[c]);
	}
	pfree(sums);
	pfree(counts);
}

/* Find the nearest centre of each vector. */
static void
assign_vectors(Clusters *clusters)
{
	find_halves(clusters->centres, clusters->nclusters, clusters->dims,
				clusters->halves);
	for (int i = 0; i < clusters->count; i++)
	{
		float greatest;

		if (i % 16 == 0)
			CHECK_FOR_INTERRUPTS();
		clusters->nearest[i] =
			nearest_of(clusters->vectors + (Size) i * clusters->dims,
					   clusters->dims, clusters->centres, clusters->halves,
					   clusters->nclusters, clusters->products, &greatest);
	}
}

/* Begin with vectors drawn at random, in equal stretches. */
static void
draw_centres(Clusters *clusters)
{
	Size bytes = clusters->dims * sizeof(float);

	for (int c = 0; c < clusters->nclusters; c++)
	{
		int64 from = (int64) clusters->count * c / clusters->nclusters;
		int64 to = (int64) clusters->count * (c + 1) / clusters->nclusters;
		int64 at =
			from + (int64) HxRandomBelow(&clusters->random, Max(to - from, 1));

		memcpy(clusters->centres + (Size) c * clusters->dims,
			   clusters->vectors + at * clusters->dims, bytes);
	}
}

/* Put vectors into clusters; `centres` has room for them. */
static void
cluster(const float *vectors, int count, int dims, int nclusters, int rounds,
		float *centres, int *nearest)
{
	Clusters clusters = {vectors, count, dims, nclusters, centres};

	Assert(count >= nclusters && nclusters > 0);
	clusters.halves = palloc(nclusters * sizeof(float));
	clusters.products = palloc(nclusters * sizeof(float));
	clusters.nearest = nearest;
	clusters.random = 1;
	draw_centres(&clusters);
	for (int round = 0; round < rounds; round++)
	{
		assign_vectors(&clusters);
		move_centres(&clusters);
	}
	assign_vectors(&clusters);
	pfree(clusters.halves);
	pfree(clusters.products);
}

/* ---- codebooks ---- */

/* Room for a codebook */
static void
alloc_book(HxCodebook *book, int count, int ngroups, int dims)
{
	book->count = count;
	book->ngroups = ngroups;
	book->numbers = palloc((Size) count * dims);
	book->scales = palloc(count * sizeof(float));
	book->ends = palloc(ngroups * sizeof(uint16));
	book->centres = palloc((Size) count * dims * sizeof(float));
	book->halves = palloc(count * sizeof(float));
	book->middles = palloc((Size) ngroups * dims * sizeof(float));
	book->middle_halves = palloc(ngroups * sizeof(float));
}

/* Set the middle of a group. */
static void
find_middle(HxCodebook *book, int group, int dims)
{
	int start = group > 0 ? book->ends[group - 1] : 0;
	float *middle = book->middles + (Size) group * dims;

	memset(middle, 0, dims * sizeof(float));
	for (int c = start; c < book->ends[group]; c++)
		for (int d = 0; d < dims; d++)
			middle[d] += book->centres[(Size) c * dims + d];
	for (int d = 0; d < dims; d++)
		middle[d] /= Max(book->ends[group] - start, 1);
}

/* Set what follows from a codebook's numbers, scales and groups. */
static void
finish_book(HxCodebook *book, int dims)
{
	for (int c = 0; c < book->count; c++)
		for (int d = 0; d < dims; d++)
			book->centres[(Size) c * dims + d] =
				book->scales[c] * book->numbers[(Size) c * dims + d];
	for (int g = 0; g < book->ngroups; g++)
		find_middle(book, g, dims);
	find_halves(book->centres, book->count, dims, book->halves);
	find_halves(book->middles, book->ngroups, dims, book->middle_halves);
}

/* Round a centre to small integers and their scale. */
static void
round_centre(const float *centre, int dims, int8 *numbers, float *scale)
{
	float greatest = 0;

	for (int d = 0; d < dims; d++)
		greatest = Max(greatest, fabsf(centre[d]));
	*scale = greatest / 127;
	for (int d = 0; d < dims; d++)
		numbers[d] =
			*scale > 0 ? (int8) lrintf(Min(Max(centre[d] / *scale, -127), 127))
					   : 0;
}

/* Store centres in a codebook, in the order of their groups. */
static void
fill_book(HxCodebook *book, const float *centres, const int *groups, int dims)
{
	int at = 0;

	for (int g = 0; g < book->ngroups; g++)
	{
		for (int c = 0; c < book->count; c++)
			if (groups[c] == g)
			{
				round_centre(centres + (Size) c * dims, dims,
							 book->numbers + (Size) at * dims,
							 &book->scales[at]);
				at++;
			}
		book->ends[g] = at;
	}
	Assert(at == book->count);
	finish_book(book, dims);
}

/* Train a codebook on what is left of tokens. */
static void
train_book(HxCodebook *book, const float *left, int count, int dims, int most)
{
	int ncentres = Max(Min(count / TOKENS_A_CENTRE, most), 1);
	int ngroups = Max((int) sqrt(ncentres), 1);
	float *centres = palloc((Size) ncentres * dims * sizeof(float));
	float *middles = palloc((Size) ngroups * dims * sizeof(float));
	int *nearest = palloc(count * sizeof(int));

	cluster(left, count, dims, ncentres, ROUNDS, centres, nearest);
	alloc_book(book, ncentres, ngroups, dims);
	cluster(centres, ncentres, dims, ngroups, GROUP_ROUNDS, middles, nearest);
	fill_book(book, centres, nearest, dims);
	pfree(centres);
	pfree(middles);
	pfree(nearest);
}

/* Tokens drawn from a sample in equal distances, copied */
static float *
draw_tokens(const HxListSample *sample, int *count)
{
	float *tokens;

	*count = (int) Min(sample->used, (Size) MOST_TRAINED);
	tokens = MemoryContextAllocHuge(
		CurrentMemoryContext, (Size) *count * sample->dims * sizeof(float));
	for (int i = 0; i < *count; i++)
		memcpy(tokens + (Size) i * sample->dims,
			   sample->floats + sample->used * i / *count * sample->dims,
			   sample->dims * sizeof(float));
	return tokens;
}

/* ---- the error of estimates ---- */

/* What a code stands for */
static void
decode(const HxCodebooks *books, uint32 mark, float *to)
{
	int dims = books->dims;

	memset(to, 0, dims * sizeof(float));
	for (int level = 0; level < HX_LEVELS; level++)
	{
		const float *centre = books->books[level].centres +
							  (Size) HX_MARK_PART(mark, level) * dims;

		for (int d = 0; d < dims; d++)
			to[d] += HxMarkFactor(mark) * centre[d];
	}
}

/* What a list's codes stand for, and the error */
static float *
decode_list(const HxCodebooks *books, const float *tokens, int count,
			float *error)
{
	uint32 *marks = palloc(count * sizeof(uint32));
	float *decoded = palloc((Size) count * books->dims * sizeof(float));

	*error = HxEncodeTokens(books, tokens, count, marks);
	for (int t = 0; t < count; t++)
		decode(books, marks[t], decoded + (Size) t * books->dims);
	pfree(marks);
	return decoded;
}

/* An estimate's exact value, and how far it is off in its deviations */
typedef struct Measured
{
	double exact;
	double off;
} Measured;

/* qsort: the greatest first */
static int
compare_measured(const void *a, const void *b)
{
	double left = ((const Measured *) a)->exact;
	double right = ((const Measured *) b)->exact;

	return left > right ? -1 : left < right;
}

/* A list of the sample */
static HxTokens
list_of(const HxListSample *sample, int at)
{
	int start = at > 0 ? sample->ends[at - 1] : 0;
	HxTokens list = {sample->ends[at] - start, sample->dims};

	list.floats = sample->floats + (Size) start * sample->dims;
	return list;
}

/* Measure how far a query's estimates of a list are off. */
static Measured
measure_list(const HxTokens *query, HxTokens list, const float *decoded,
			 float error, float *scratch)
{
	double length2 = HxTokenProduct(query->floats, query->floats,
									(Size) query->count * query->dims);
	double deviation = sqrt(length2 / query->dims) * error;
	Measured measured = {HxMaxSim(&list, query, scratch), 0};

	list.floats = decoded;
	if (deviation > 0)
		measured.off =
			(measured.exact - HxMaxSim(&list, query, scratch)) / deviation;
	return measured;
}

/*
 * The root of the mean square of errors, in the deviations that they should have,
 * of the lists that are nearest to others.
 */
static float
measure_spread(const HxCodebooks *books, const HxListSample *sample)
{
	int queries = Min(ERROR_QUERIES, sample->count / 2);
	int rows = Min(ERROR_ROWS, sample->count - queries);
	Measured *measured = palloc(queries * rows * sizeof(Measured));
	float *scratch = palloc(HX_MOST_MARKS * sizeof(float));
	double sum = 0;
	int count = 0;

	for (int r = 0; r < rows; r++)
	{
		HxTokens list = list_of(sample, queries + r);
		float error;
		float *decoded = decode_list(books, list.floats, list.count, &error);

		CHECK_FOR_INTERRUPTS();
		for (int q = 0; q < queries; q++)
		{
			HxTokens query = list_of(sample, q);

			measured[q * rows + r] =
				measure_list(&query, list, decoded, error, scratch);
		}
		pfree(decoded);
	}
	for (int q = 0; q < queries; q++)
	{
		qsort(measured + q * rows, rows, sizeof(Measured), compare_measured);
		for (int r = 0; r < Min(ERROR_NEAREST, rows); r++, count++)
			sum += measured[q * rows + r].off * measured[q * rows + r].off;
	}
	pfree(measured);
	pfree(scratch);
	return count > 0 ? (float) sqrt(sum / count) : 1;
}

HxCodebooks *
HxLearnCodebooks(const HxListSample *sample)
{
	HxCodebooks *books;
	float *left;
	int count;

	if (sample->count < HX_LEAST_TO_LEARN_LISTS / 2)
		return NULL;
	books = palloc0(sizeof(HxCodebooks));
	books->dims = sample->dims;
	left = draw_tokens(sample, &count);
	for (int level = 0; level < HX_LEVELS; level++)
	{
		HxCodebook *book = &books->books[level];
		float *products;

		train_book(book, left, count, sample->dims, HX_MARK_ROOM(level));
		products = palloc(book->count * sizeof(float));
		for (int i = 0; i < count; i++)
		{
			CHECK_FOR_INTERRUPTS();
			HX_INJECT_LOOP("multi-train");
			take_centre(book, left + (Size) i * sample->dims, sample->dims,
						products);
		}
		pfree(products);
	}
	pfree(left);
	books->spread = measure_spread(books, sample);
	return books;
}

/* ---- the packed form ---- */

/* What it begins with; of each codebook scales, ends and numbers follow */
typedef struct PackedHead
{
	uint32 dims;
	float spread;
	uint32 counts[HX_LEVELS];
	uint32 ngroups[HX_LEVELS];
} PackedHead;

/* Bytes of a codebook's arrays */
static Size
book_bytes(Size count, Size ngroups, Size dims)
{
	return count * sizeof(float) + ngroups * sizeof(uint16) + count * dims;
}

static Size
packed_bytes(const PackedHead *head)
{
	Size size = sizeof(PackedHead);

	for (int level = 0; level < HX_LEVELS; level++)
		size +=
			book_bytes(head->counts[level], head->ngroups[level], head->dims);
	return size;
}

/* Copy bytes and go on behind them. */
static void
put(char **at, const void *from, Size size)
{
	memcpy(*at, from, size);
	*at += size;
}

static void
get(const char **at, void *to, Size size)
{
	memcpy(to, *at, size);
	*at += size;
}

char *
HxPackCodebooks(const HxCodebooks *books, Size *size)
{
	PackedHead head = {books->dims, books->spread};
	char *packed;
	char *at;

	for (int level = 0; level < HX_LEVELS; level++)
	{
		head.counts[level] = books->books[level].count;
		head.ngroups[level] = books->books[level].ngroups;
	}
	*size = packed_bytes(&head);
	at = packed = MemoryContextAllocHuge(CurrentMemoryContext, *size);
	put(&at, &head, sizeof(head));
	for (int level = 0; level < HX_LEVELS; level++)
	{
		const HxCodebook *book = &books->books[level];

		put(&at, book->scales, book->count * sizeof(float));
		put(&at, book->ends, book->ngroups * sizeof(uint16));
		put(&at, book->numbers, (Size) book->count * books->dims);
	}
	return packed;
}

/* Is the head one of an index's codebooks? */
static bool
head_is_sound(const HxIndexDesc *desc, const PackedHead *head, Size size)
{
	if (head->dims != desc->dims || !(head->spread >= 0) ||
		!isfinite(head->spread))
		return false;
	for (int level = 0; level < HX_LEVELS; level++)
		if (head->counts[level] == 0 ||
			head->counts[level] > HX_MARK_ROOM(level) ||
			head->ngroups[level] == 0 ||
			head->ngroups[level] > head->counts[level])
			return false;
	return packed_bytes(head) == size;
}

/* Are a codebook's numbers what they may be? */
static bool
book_is_sound(const HxCodebook *book)
{
	int end = 0;

	if (!HxAllFinite(book->scales, book->count))
		return false;
	for (int g = 0; g < book->ngroups; g++)
	{
		if (book->ends[g] < end)
			return false;
		end = book->ends[g];
	}
	return end == book->count;
}

void *
HxUnpackCodebooks(Relation index, const HxIndexDesc *desc, BlockNumber first,
				  const char *packed, Size size)
{
	HxCodebooks *books = palloc0(sizeof(HxCodebooks));
	const char *at = packed;
	PackedHead head = {0};

	if (size >= sizeof(head))
		get(&at, &head, sizeof(head));
	if (!head_is_sound(desc, &head, size))
		HxCorrupted(index, first, "codebooks of other tokens");
	books->dims = head.dims;
	books->spread = head.spread;
	for (int level = 0; level < HX_LEVELS; level++)
	{
		HxCodebook *book = &books->books[level];

		alloc_book(book, head.counts[level], head.ngroups[level], books->dims);
		get(&at, book->scales, book->count * sizeof(float));
		get(&at, book->ends, book->ngroups * sizeof(uint16));
		get(&at, book->numbers, (Size) book->count * books->dims);
		if (!book_is_sound(book))
			HxCorrupted(index, first, "codebooks with a number out of range");
		finish_book(book, books->dims);
	}
	return books;
}

void
HxLoadCodebooks(Relation index, HxIndexDesc *desc)
{
	HxLoadLearnt(index, desc, HxUnpackCodebooks);
}
