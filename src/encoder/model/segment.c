/*
 * segment.c
 *	  Cutting a sequence of ids into pieces.
 *
 * Tables may come from anyone: a number that they hold is nothing but a key to
 * look up, or a piece to return.
 */
#include "encoder/model/segment.h"

#include <math.h>

/* No pair of pieces is merged at this place */
#define NO_MERGE UINT32_MAX

/* What a symbol without any piece costs: more than all pieces of a sequence */
#define NO_PIECE (-1e35)

size_t
hx_segment_room(uint32_t count)
{
	/* of unigrams: a score, a symbol and where its piece begins, for each end */
	return ((size_t) count + 1) * (sizeof(double) + 3 * sizeof(uint32_t));
}

/* The symbol of the id at a place, 0 if it was never learnt from */
static uint32_t
find_symbol(const HxModel *model, uint32_t place, int32_t id)
{
	const HxTable *table = &model->table[0];
	int64_t row = hx_find_key(
		table,
		hx_symbol_key(hx_constant(model, HX_PIECES_PLACES) != 0, place, id));

	return row < 0 ? 0 : table->number[row];
}

/* The piece that two pieces are merged to */
static uint32_t
find_merge(const HxModel *model, uint32_t left, uint32_t right)
{
	const HxTable *table = &model->table[1];
	int64_t row = left == 0 || right == 0
					  ? -1
					  : hx_find_key(table, hx_pair_key(left, right));

	return row < 0 ? NO_MERGE : table->number[2 * row];
}

/*
 * Merge all pairs that give `merged`, from the left; how many pieces are left.
 * merge[i] is what pieces i and i + 1 are merged to, before and after.
 */
static uint32_t
merge_all(const HxModel *model, uint32_t merged, uint32_t count,
		  uint32_t *piece, uint32_t *merge)
{
	uint32_t kept = 0;
	int before = 0; /* was the last piece kept a merged one? */

	for (uint32_t i = 0; i < count; i++)
	{
		int now = i + 1 < count && merge[i] == merged;
		uint32_t old = i > 0 ? merge[i - 1] : NO_MERGE;

		piece[kept] = now ? merged : piece[i];
		if (kept > 0)
			merge[kept - 1] =
				now || before ? find_merge(model, piece[kept - 1], piece[kept])
							  : old;
		kept++;
		before = now;
		i += (uint32_t) now;
	}
	return kept;
}

/* Merge pairs, the one learnt first before all others, until none is left. */
static uint32_t
merge_pairs(const HxModel *model, uint32_t count, uint32_t *piece,
			uint32_t *merge)
{
	for (uint32_t i = 0; i + 1 < count; i++)
		merge[i] = find_merge(model, piece[i], piece[i + 1]);
	while (count > 1)
	{
		uint32_t first = NO_MERGE;

		for (uint32_t i = 0; i + 1 < count; i++)
			first = merge[i] < first ? merge[i] : first;
		if (first == NO_MERGE)
			break;
		count = merge_all(model, first, count, piece, merge);
	}
	return count;
}

/* The best cut up to every end, from all pieces that begin at `start` */
static void
extend(const HxModel *model, const uint32_t *symbol, uint32_t start,
	   uint32_t count, double *score, uint32_t *from, uint32_t *last)
{
	const HxTable *table = &model->table[1];
	int64_t longest = hx_constant(model, HX_PIECES_LONGEST);
	uint32_t node = 0;

	if (longest < 1 || longest > HX_MAX_PIECE)
		longest = HX_MAX_PIECE;
	for (uint32_t end = start + 1;
		 end <= count && end - start <= (uint32_t) longest; end++)
	{
		int64_t row =
			symbol[end - 1] == 0
				? -1
				: hx_find_key(table, hx_pair_key(node, symbol[end - 1]));
		uint32_t found = row < 0 ? 0 : table->number[2 * row + 1];
		double reached =
			score[start] + (found > 0 ? (double) table->weight[row] : NO_PIECE);

		if ((found > 0 || end == start + 1) && reached > score[end])
		{
			score[end] = reached;
			from[end] = start;
			last[end] = found;
		}
		if (row < 0)
			return;
		node = table->number[2 * row];
	}
}

/* The likeliest cut of symbols; how many pieces it has */
static uint32_t
cut_likeliest(const HxModel *model, const uint32_t *symbol, uint32_t count,
			  double *score, uint32_t *from, uint32_t *last, uint32_t *piece)
{
	uint32_t pieces = 0;

	score[0] = 0.0;
	for (uint32_t i = 1; i <= count; i++)
		score[i] = -INFINITY;
	for (uint32_t i = 0; i < count; i++)
		extend(model, symbol, i, count, score, from, last);
	for (uint32_t end = count; end > 0; end = from[end])
		piece[pieces++] = last[end];
	for (uint32_t i = 0; i < pieces / 2; i++)
	{
		uint32_t other = piece[pieces - 1 - i];

		piece[pieces - 1 - i] = piece[i];
		piece[i] = other;
	}
	return pieces;
}

uint32_t
hx_segment(const HxModel *model, const int32_t *ids, uint32_t count, void *room,
		   uint32_t *piece)
{
	double *score = room;
	uint32_t *symbol = (uint32_t *) (score + count + 1);
	uint32_t *from = symbol + count + 1;
	uint32_t *last = from + count + 1;

	if (count == 0)
		return 0;
	if (hx_constant(model, HX_PIECES_KIND) != HX_PIECES_UNIGRAM)
	{
		for (uint32_t i = 0; i < count; i++)
			piece[i] = find_symbol(model, i, ids[i]);
		return merge_pairs(model, count, piece, symbol);
	}
	for (uint32_t i = 0; i < count; i++)
		symbol[i] = find_symbol(model, i, ids[i]);
	return cut_likeliest(model, symbol, count, score, from, last, piece);
}
