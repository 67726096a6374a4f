/*
 * unigram.c
 *	  Pieces of a unigram language model: a sequence's pieces are drawn one by
 *	  one, and the cut of the greatest probability is taken (after Kudo 2018).
 *
 * All sequences' parts of up to `longest` ids form a trie.  Those that come most,
 * each weighed by its length, are pieces to begin with; their probabilities are
 * learnt by expectation and maximisation, over all cuts of all sequences, and
 * pieces are given up of which the sequences' likelihood depends least, until as
 * few are left as wanted.  Single ids are always pieces.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/model/segment.h"
#include "encoder/train/corpus.h"

/*
 * Pieces to begin with, for each that is wanted.  Of many more the long ones take
 * all that the short ones are there for, and these are given up first: what is
 * rare is then left with single ids.
 */
#define SEEDS 2

/* Rounds of learning between two times that pieces are given up */
#define ROUNDS 2

/* Share of the pieces that stays each time, at least */
#define STAYS 0.75

/* Least count of a piece, so that no logarithm is infinite */
#define LEAST 1e-3

/* A node of the trie and what it is worth: node i + 1 is entry i */
typedef struct Unigrams
{
	HxCorpus *corpus;
	HxPairs trie;	/* by node above and symbol; 0 is the root */
	uint8 *depth;	/* of each entry */
	bool *is_piece; /* of each entry */
	double *weight; /* logarithm of the probability */
	double *count;	/* expected */
	double *alpha; /* of the longest sequence: sums of all cuts up to a place */
	double *beta;  /* and from a place on */
	size_t *found; /* of each place and length: entry + 1, or 0 */
	size_t pieces;
} Unigrams;

/* A piece, and by how much it is wanted */
typedef struct Wanted
{
	double worth;
	size_t entry;
} Wanted;

/* Longest sequence */
static size_t
longest_sequence(const HxCorpus *corpus)
{
	size_t longest = 0;

	for (int s = 0; s < corpus->count; s++)
		longest = Max(longest, corpus->start[s + 1] - corpus->start[s]);
	return longest;
}

/* Put all parts of all sequences into the trie, and count them. */
static void
build_trie(Unigrams *unigrams)
{
	HxCorpus *corpus = unigrams->corpus;

	HxStartPairs(corpus->training, &unigrams->trie);
	for (int s = 0; s < corpus->count; s++)
	{
		size_t end = corpus->start[s + 1];

		CHECK_FOR_INTERRUPTS();
		for (size_t i = corpus->start[s]; i < end; i++)
		{
			uint32 node = 0;

			for (size_t j = i; j < end && j < i + corpus->longest; j++)
			{
				size_t entry = HxAddPair(&unigrams->trie,
										 hx_pair_key(node, corpus->symbol[j]));

				unigrams->trie.entry[entry].count += corpus->weight[s];
				node = (uint32) entry + 1;
			}
		}
	}
}

/* Room for what is known of every node */
static void
allocate_nodes(Unigrams *unigrams)
{
	HxTraining *training = unigrams->corpus->training;
	size_t n = unigrams->trie.count;
	size_t longest = longest_sequence(unigrams->corpus);

	unigrams->depth = HxTrainAlloc(training, n, 1, "pieces");
	unigrams->is_piece = HxTrainAlloc(training, n, sizeof(bool), "pieces");
	unigrams->weight = HxTrainAlloc(training, n, sizeof(double), "pieces");
	unigrams->count = HxTrainAlloc(training, n, sizeof(double), "pieces");
	unigrams->alpha =
		HxTrainAlloc(training, longest + 1, sizeof(double), "a sequence");
	unigrams->beta =
		HxTrainAlloc(training, longest + 1, sizeof(double), "a sequence");
	unigrams->found =
		HxTrainAlloc(training, longest * unigrams->corpus->longest,
					 sizeof(size_t), "a sequence");
	/* a node comes after the one above it */
	for (size_t i = 0; i < n; i++)
	{
		uint32 above = (uint32) ((uint64) unigrams->trie.entry[i].key >> 32);

		unigrams->depth[i] = above == 0 ? 1 : unigrams->depth[above - 1] + 1;
	}
}

/* Order: what is most wanted first, then what came first */
static int
compare_wanted(const void *a, const void *b)
{
	const Wanted *left = a;
	const Wanted *right = b;

	if (left->worth != right->worth)
		return left->worth > right->worth ? -1 : 1;
	return left->entry < right->entry ? -1 : 1;
}

/* Keep `most` pieces: single ids, and the others that are most wanted */
static void
keep_pieces(Unigrams *unigrams, Wanted *wanted, size_t count, size_t most)
{
	uint32 symbols = unigrams->corpus->symbols;

	qsort(wanted, count, sizeof(Wanted), compare_wanted);
	count = Min(count, most - Min(most, symbols));
	for (size_t i = 0; i < unigrams->trie.count; i++)
		unigrams->is_piece[i] = unigrams->depth[i] == 1;
	for (size_t i = 0; i < count; i++)
		unigrams->is_piece[wanted[i].entry] = true;
	unigrams->pieces = symbols + count;
}

/* The pieces to begin with, and their probabilities by count */
static void
choose_seeds(Unigrams *unigrams, Wanted *wanted)
{
	size_t count = 0;

	for (size_t i = 0; i < unigrams->trie.count; i++)
	{
		int64 times = unigrams->trie.entry[i].count;

		unigrams->count[i] = (double) times;
		if (unigrams->depth[i] > 1 && times > 1)
			wanted[count++] = (Wanted){(double) times * unigrams->depth[i], i};
	}
	keep_pieces(unigrams, wanted, count,
				(size_t) SEEDS * unigrams->corpus->size);
}

/* Probabilities from counts */
static void
maximise(Unigrams *unigrams)
{
	double sum = 0.0;

	for (size_t i = 0; i < unigrams->trie.count; i++)
	{
		if (unigrams->is_piece[i])
			sum += unigrams->count[i] + LEAST;
	}
	for (size_t i = 0; i < unigrams->trie.count; i++)
		unigrams->weight[i] = unigrams->is_piece[i]
								  ? log((unigrams->count[i] + LEAST) / sum)
								  : -INFINITY;
}

/* log(exp(a) + exp(b)) */
static double
add_logs(double a, double b)
{
	double high = Max(a, b);
	double low = Min(a, b);

	return isinf(low) ? high : high + log1p(exp(low - high));
}

/* The pieces from every place of a sequence */
static void
find_pieces(Unigrams *unigrams, const uint32 *symbol, size_t length)
{
	int longest = unigrams->corpus->longest;

	for (size_t i = 0; i < length; i++)
	{
		size_t *found = unigrams->found + i * longest;
		uint32 node = 0;
		int64 entry = 0;

		for (int j = 0; j < longest; j++)
		{
			found[j] = 0;
			if (i + j >= length || entry < 0)
				continue;
			entry =
				HxFindPair(&unigrams->trie, hx_pair_key(node, symbol[i + j]));
			if (entry < 0)
				continue;
			node = (uint32) entry + 1;
			if (unigrams->is_piece[entry])
				found[j] = (size_t) entry + 1;
		}
	}
}

/* Add what a sequence's cuts expect of each piece to the counts. */
static void
expect_sequence(Unigrams *unigrams, const uint32 *symbol, size_t length,
				double times)
{
	int longest = unigrams->corpus->longest;
	double *alpha = unigrams->alpha;
	double *beta = unigrams->beta;

	find_pieces(unigrams, symbol, length);
	for (size_t i = 0; i <= length; i++)
		alpha[i] = beta[i] = -INFINITY;
	alpha[0] = beta[length] = 0.0;
	for (size_t i = 0; i < length; i++)
	{
		const size_t *found = unigrams->found + i * longest;

		for (int j = 0; j < longest; j++)
		{
			if (found[j] > 0)
				alpha[i + j + 1] =
					add_logs(alpha[i + j + 1],
							 alpha[i] + unigrams->weight[found[j] - 1]);
		}
	}
	for (size_t i = length; i-- > 0;)
	{
		const size_t *found = unigrams->found + i * longest;

		for (int j = 0; j < longest; j++)
		{
			double part;

			if (found[j] == 0)
				continue;
			part = unigrams->weight[found[j] - 1] + beta[i + j + 1];
			beta[i] = add_logs(beta[i], part);
			unigrams->count[found[j] - 1] +=
				times * exp(alpha[i] + part - alpha[length]);
		}
	}
}

/* One round of learning */
static void
learn_round(Unigrams *unigrams)
{
	HxCorpus *corpus = unigrams->corpus;

	memset(unigrams->count, 0, unigrams->trie.count * sizeof(double));
	for (int s = 0; s < corpus->count; s++)
	{
		CHECK_FOR_INTERRUPTS();
		expect_sequence(unigrams, corpus->symbol + corpus->start[s],
						corpus->start[s + 1] - corpus->start[s],
						(double) corpus->weight[s]);
	}
	maximise(unigrams);
}

/* The best cut of the ids of a piece that does without it */
static double
best_without(Unigrams *unigrams, size_t entry)
{
	uint32 symbol[HX_MAX_PIECE];
	double best[HX_MAX_PIECE + 1];
	int length = unigrams->depth[entry];
	size_t up = entry;

	for (int i = length; i-- > 0;)
	{
		uint64 key = (uint64) unigrams->trie.entry[up].key;

		symbol[i] = (uint32) key;
		up = (size_t) (key >> 32) - 1;
	}
	find_pieces(unigrams, symbol, length);
	best[0] = 0.0;
	for (int i = 1; i <= length; i++)
		best[i] = -INFINITY;
	for (int i = 0; i < length; i++)
	{
		const size_t *found =
			unigrams->found + (size_t) i * unigrams->corpus->longest;

		for (int j = 0; i + j < length && j < unigrams->corpus->longest; j++)
		{
			if (found[j] > 0 && found[j] != entry + 1)
				best[i + j + 1] = Max(best[i + j + 1],
									  best[i] + unigrams->weight[found[j] - 1]);
		}
	}
	return best[length];
}

/* Give up pieces of which the likelihood depends least */
static void
give_up(Unigrams *unigrams, Wanted *wanted)
{
	size_t stay = (size_t) ((double) unigrams->pieces * STAYS);
	size_t count = 0;

	for (size_t i = 0; i < unigrams->trie.count; i++)
	{
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (unigrams->is_piece[i] && unigrams->depth[i] > 1)
			wanted[count++] =
				(Wanted){unigrams->count[i] *
							 (unigrams->weight[i] - best_without(unigrams, i)),
						 i};
	}
	keep_pieces(unigrams, wanted, count,
				Max(stay, (size_t) unigrams->corpus->size - 1));
}

/* Nodes that lead to pieces, in their order: rows of the model's table */
static void
put_trie(Unigrams *unigrams, HxDraft *draft)
{
	HxCorpus *corpus = unigrams->corpus;
	HxTraining *training = corpus->training;
	size_t n = unigrams->trie.count;
	uint32 *node = HxTrainAlloc(training, n, sizeof(uint32), "pieces");
	int64 *key = HxTrainAlloc(training, n, sizeof(int64), "pieces");
	uint32 *number = HxTrainAlloc(training, 2 * n, sizeof(uint32), "pieces");
	float *weight = HxTrainAlloc(training, n, sizeof(float), "pieces");
	uint32 pieces = corpus->symbols + 1;
	size_t count = 0;

	for (size_t i = n; i-- > 0;)
	{
		uint32 above = (uint32) ((uint64) unigrams->trie.entry[i].key >> 32);

		node[i] |= unigrams->is_piece[i];
		if (above > 0)
			node[above - 1] |= node[i];
	}
	for (size_t i = 0; i < n; i++)
	{
		uint64 full = (uint64) unigrams->trie.entry[i].key;
		uint32 above = (uint32) (full >> 32);

		if (node[i] == 0)
			continue;
		node[i] = (uint32) count + 1;
		key[count] =
			hx_pair_key(above == 0 ? 0 : node[above - 1], (uint32) full);
		number[2 * count] = node[i];
		if (unigrams->is_piece[i])
		{
			number[2 * count + 1] =
				unigrams->depth[i] == 1 ? (uint32) full : pieces++;
			weight[count] = (float) unigrams->weight[i];
		}
		count++;
	}
	draft->dims = (int) pieces;
	HxPutPieces(corpus, draft, count, key, number, weight,
				Max((uint32) count + 1, pieces));
}

void
HxLearnUnigrams(HxCorpus *corpus, HxDraft *draft)
{
	Unigrams unigrams = {.corpus = corpus};
	Wanted *wanted;

	build_trie(&unigrams);
	allocate_nodes(&unigrams);
	wanted = HxTrainAlloc(corpus->training, unigrams.trie.count, sizeof(Wanted),
						  "pieces");
	choose_seeds(&unigrams, wanted);
	maximise(&unigrams);
	for (;;)
	{
		for (int i = 0; i < ROUNDS; i++)
			learn_round(&unigrams);
		if (unigrams.pieces < corpus->size)
			break;
		give_up(&unigrams, wanted);
	}
	put_trie(&unigrams, draft);
}
