/*
 * map_test.c
 *	  Hashes of ids, communities of graphs and codes of documents: against
 *	  definitions and planted structure.
 *
 *	map_test [seed]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "encoder/map/hash.h"
#include "encoder/map/louvain.h"
#include "encoder/map/paragraph.h"
#include "encoder/math/matrix.h"
#include "random.h"

static int passed;
static int failed;
static long alive; /* allocations not freed */

void *
hx_matrix_alloc(size_t count, size_t size)
{
	/* not zero, to find who relies on it */
	void *memory = malloc(count * size + 1);

	if (memory == NULL)
		abort();
	memset(memory, 0xA5, count * size + 1);
	alive++;
	return memory;
}

void
hx_matrix_free(void *memory)
{
	alive--;
	free(memory);
}

void
hx_matrix_interrupt(void)
{
}

static void
expect(const char *what, int holds)
{
	if (holds)
		passed++;
	else
	{
		failed++;
		printf("FAILED %s\n", what);
	}
}

/*
 * Hashes that stay: computed by another program from the definition.  The bytes
 * lie at every alignment.
 */
static void
test_hash(void)
{
	static const struct
	{
		uint64_t seed;
		const char *bytes;
		uint64_t hash;
	} golden[] = {{0, "", UINT64_C(0xa706dd2f4d197e6f)},
				  {0, "a", UINT64_C(0x90ee7ac581476b17)},
				  {1, "12345678", UINT64_C(0x9f59c5548ef6b357)},
				  {7, "123456789", UINT64_C(0x6668bf16d2fff5cc)}};
	char room[32];

	for (int i = 0; i < 4; i++)
	{
		size_t length = strlen(golden[i].bytes);

		for (int at = 0; at < 8; at++)
		{
			memcpy(room + at, golden[i].bytes, length);
			expect("hash", hx_hash_bytes(golden[i].seed, room + at, length) ==
							   golden[i].hash);
		}
	}
}

/* Q by its definition, over all pairs of a left and a right node */
static double
modularity(uint32_t left, uint32_t right, size_t rows, const uint32_t (*row)[2],
		   const uint32_t *of, double resolution)
{
	double *weight = calloc((size_t) left * right, sizeof(double));
	double *degree = calloc(left + right, sizeof(double));
	double q = 0.0;

	for (size_t i = 0; i < rows; i++)
	{
		weight[row[i][0] * right + row[i][1]]++;
		degree[row[i][0]]++;
		degree[left + row[i][1]]++;
	}
	for (uint32_t l = 0; l < left; l++)
	{
		for (uint32_t r = 0; r < right; r++)
		{
			if (of[l] == of[left + r])
				q += weight[l * right + r] / rows -
					 resolution * degree[l] * degree[left + r] / rows / rows;
		}
	}
	free(weight);
	free(degree);
	return q;
}

/* Weight of a node's edges into a community, by its definition */
static uint64_t
weight_into(const HxGraph *graph, const uint32_t *of, uint32_t node,
			uint32_t community)
{
	uint64_t sum = 0;

	for (size_t i = graph->start[node]; i < graph->start[node + 1]; i++)
		if (of[graph->to[i]] == community)
			sum += graph->weight == NULL ? 1 : graph->weight[i];
	return sum;
}

/*
 * The gain of every move of every node of a graph with communities at random: what
 * Q is after it less what it was before
 */
static void
test_gains(uint32_t left, uint32_t right, size_t rows, const uint32_t (*row)[2],
		   double resolution)
{
	HxGraph *graph = hx_make_graph(left, right, rows, row);
	HxCommunities *communities = hx_start_communities(graph);
	uint32_t nodes = left + right;
	double worst = 0.0;
	double before;

	for (uint32_t v = 0; v < nodes; v++)
	{
		uint32_t to = (uint32_t) random_below(5);

		communities->left[communities->of[v]] -= graph->left[v];
		communities->right[communities->of[v]] -= graph->right[v];
		communities->left[to] += graph->left[v];
		communities->right[to] += graph->right[v];
		communities->of[v] = to;
	}
	before = modularity(left, right, rows, row, communities->of, resolution);
	for (uint32_t v = 0; v < nodes; v++)
	{
		uint32_t own = communities->of[v];

		communities->left[own] -= graph->left[v];
		communities->right[own] -= graph->right[v];
		for (uint32_t to = 0; to < 6; to++)
		{
			double gain =
				hx_joining_gain(graph, communities, v,
								weight_into(graph, communities->of, v, to), to,
								resolution) -
				hx_joining_gain(graph, communities, v,
								weight_into(graph, communities->of, v, own),
								own, resolution);
			double after;

			communities->of[v] = to;
			after =
				modularity(left, right, rows, row, communities->of, resolution);
			communities->of[v] = own;
			worst = fmax(worst, fabs(gain / rows / rows - (after - before)));
		}
		communities->left[own] += graph->left[v];
		communities->right[own] += graph->right[v];
	}
	expect("gain of a move", worst < 1e-12);
	/* a pass gains what it says, and never loses */
	{
		double gain = hx_move_nodes(graph, communities, resolution);
		double after =
			modularity(left, right, rows, row, communities->of, resolution);

		expect("gain of a pass", fabs(after - before - gain) < 1e-12);
		expect("a pass that loses", gain >= 0.0);
	}
	hx_free_communities(communities);
	hx_free_graph(graph);
}

/* Communities, their modularity, and that the order of rows plays no part */
static void
test_communities(uint32_t left, uint32_t right, size_t rows, uint32_t (*row)[2],
				 double resolution)
{
	uint32_t nodes = left + right;
	uint32_t *of = malloc(nodes * sizeof(uint32_t));
	uint32_t *again = malloc(nodes * sizeof(uint32_t));
	uint32_t *size = calloc(nodes, sizeof(uint32_t));
	double gain;
	uint32_t count;
	int sorted = 1;

	count =
		hx_louvain(hx_make_graph(left, right, rows, (const uint32_t(*)[2]) row),
				   resolution, of, &gain);
	expect("modularity",
		   fabs(gain - modularity(left, right, rows, (const uint32_t(*)[2]) row,
								  of, resolution)) < 1e-12);
	for (uint32_t v = 0; v < nodes; v++)
	{
		expect("number of a community", of[v] < count);
		size[of[v]]++;
	}
	for (uint32_t c = 1; c < count; c++)
		sorted &= size[c] > 0 && size[c] <= size[c - 1];
	expect("the largest first", sorted);
	for (size_t i = rows; i > 1; i--)
	{
		size_t j = random_below(i);
		uint32_t kept[2] = {row[i - 1][0], row[i - 1][1]};

		memcpy(row[i - 1], row[j], sizeof(kept));
		memcpy(row[j], kept, sizeof(kept));
	}
	(void) hx_louvain(
		hx_make_graph(left, right, rows, (const uint32_t(*)[2]) row),
		resolution, again, &gain);
	expect("order of rows", memcmp(of, again, nodes * sizeof(uint32_t)) == 0);
	free(of);
	free(again);
	free(size);
}

/* Graphs of 50 nodes, dense, thin, with edges that come twice and without */
static void
test_graphs(void)
{
	static uint32_t row[2000][2];

	for (int n = 0; n < 60; n++)
	{
		uint32_t left = 1 + (uint32_t) random_below(49);
		uint32_t right = 50 - left;
		size_t rows = 1 + random_below(n % 3 == 0 ? 2000 : 120);
		double resolution = (double) random_below(30) / 10.0;

		for (size_t i = 0; i < rows; i++)
		{
			row[i][0] = (uint32_t) random_below(left);
			row[i][1] = (uint32_t) random_below(right);
			/* half of the edges within one of three groups */
			if (random_below(2) == 0 && right > 3)
				row[i][1] = row[i][0] % 3 + row[i][1] / 3 * 3 < right
								? row[i][0] % 3 + row[i][1] / 3 * 3
								: row[i][1];
		}
		test_gains(left, right, rows, (const uint32_t(*)[2]) row, resolution);
		test_communities(left, right, rows, row, resolution);
	}
}

/* The function for everywhere beside the library's */
static void
test_sigmoid(void)
{
	double worst = 0.0;

	for (double x = -29.9; x < 29.9; x += 0.013)
		worst = fmax(worst, fabs(hx_sigmoid(x) / (1 / (1 + exp(-x))) - 1));
	expect("sigmoid", worst < 1e-12);
	expect("sigmoid of much", hx_sigmoid(1e300) == 1.0 &&
								  hx_sigmoid(INFINITY) == 1.0 &&
								  hx_sigmoid(-INFINITY) == 0.0);
	expect("sigmoid of nothing", hx_sigmoid(NAN) == 0.0);
}

#define TOPICS 4
#define WORDS 80
#define LENGTH 50
#define DOCUMENTS 400
#define BITS 16

/* Ratios of one collection differ by .03, of the mean of so many by .01 */
#define COLLECTIONS 8

/* Documents: three words in four from their topic's twenty, terms by word */
static void
make_documents(HxTerm *term, size_t *start)
{
	size_t at = 0;

	for (int i = 0; i < DOCUMENTS; i++)
	{
		uint32_t count[WORDS] = {0};

		start[i] = at;
		for (int k = 0; k < LENGTH; k++)
			count[random_below(4) > 0
					  ? (size_t) (i % TOPICS) * 20 + random_below(20)
					  : random_below(WORDS)]++;
		for (uint32_t w = 0; w < WORDS; w++)
			if (count[w] > 0)
				term[at++] = (HxTerm){w, count[w]};
	}
	start[DOCUMENTS] = at;
}

/* Bits that differ between documents of one topic, over those of two topics */
static double
topic_ratio(int real)
{
	static HxTerm term[DOCUMENTS * LENGTH];
	static size_t start[DOCUMENTS + 1];
	static float word[WORDS * 100];
	static float projection[BITS * 20];
	static uint64_t code[DOCUMENTS];
	HxDocuments documents = {DOCUMENTS / 2, start, term};
	HxLexicon lexicon = {WORDS, BITS, real, word, projection};
	int columns = hx_lexicon_columns(BITS, real);
	double *room = malloc(hx_paragraph_room(&lexicon) * sizeof(double));
	double d[BITS];
	double r[20];
	double within = 0.0;
	double across = 0.0;
	long pairs[2] = {0};

	make_documents(term, start);
	for (int w = 0; w < WORDS; w++)
		word[w * columns] = 1.0f / WORDS;
	hx_train_paragraphs(&documents, WORDS, BITS, real, real > 0 ? 20 : 10, 1,
						word, projection);
	for (int i = 0; i < DOCUMENTS; i++)
	{
		hx_fit_paragraph(&lexicon, term + start[i], start[i + 1] - start[i],
						 room, d, r);
		code[i] = 0;
		for (int j = 0; j < BITS; j++)
			code[i] |= (uint64_t) (d[j] > 0) << j;
	}
	for (int i = DOCUMENTS / 2; i < DOCUMENTS; i++)
	{
		for (int j = 0; j < i; j++)
		{
			int same = i % TOPICS == j % TOPICS;

			*(same ? &within : &across) +=
				__builtin_popcountll(code[i] ^ code[j]);
			pairs[same]++;
		}
	}
	free(room);
	return within / pairs[1] / (across / pairs[0]);
}

/* Are documents of one topic nearer than those of two, by their codes? */
static void
test_paragraphs(int real)
{
	double sum = 0.0;

	for (int i = 0; i < COLLECTIONS; i++)
		sum += topic_ratio(real);
	expect(real > 0 ? "codes with real numbers tell topics"
					: "codes tell topics",
		   sum / COLLECTIONS < 0.5);
}

int
main(int argc, char **argv)
{
	uint64_t seed = argc > 1 && *argv[1] ? strtoull(argv[1], NULL, 10)
										 : (uint64_t) time(NULL) + 1;

	random_state = seed ? seed : 1;
	printf("seed %llu\n", (unsigned long long) seed);
	test_hash();
	test_graphs();
	test_sigmoid();
	test_paragraphs(0);
	test_paragraphs(20);
	expect("everything is freed", alive == 0);
	printf("%d passed, %d failed\n", passed, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
