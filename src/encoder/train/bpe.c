/*
 * bpe.c
 *	  Pieces by merging the most frequent pair, again and again.
 *
 * The counts of pairs are kept as sequences change: each pair knows the
 * sequences that it was seen in, and a heap has the counts.  A count in the heap
 * may be out of date; then the one that holds is put in its place.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "encoder/model/segment.h"
#include "encoder/train/corpus.h"

/* A pair that may be merged next */
typedef struct Candidate
{
	int64 count;
	int64 key;
} Candidate;

/* A sequence in which a pair was seen, and the one before it */
typedef struct Place
{
	int32 sequence;
	int32 before; /* -1 at the end */
} Place;

/* State of learning */
typedef struct Merging
{
	HxCorpus *corpus;
	HxPairs pairs;
	int *length; /* of each sequence, in pieces */
	Place *place;
	size_t places;
	size_t place_room;
	Candidate *heap;
	size_t heap_count;
	size_t heap_room;
	uint8 *ids;		 /* of each piece: how long it is */
	int32 step;		 /* number of the merge, 0 when counting begins */
	uint32 *touched; /* pairs that are more by this step */
	size_t touched_count;
	size_t touched_room;
} Merging;

/* Is a to be merged before b?  The more frequent, the lower key. */
static bool
is_before(const Candidate *a, const Candidate *b)
{
	return a->count != b->count ? a->count > b->count : a->key < b->key;
}

/* Put a pair into the heap. */
static void
push_candidate(Merging *merging, Candidate added)
{
	size_t at = merging->heap_count;

	if (at == merging->heap_room)
	{
		size_t more = Max(2 * at, 1024);

		merging->heap = HxTrainGrow(merging->corpus->training, merging->heap,
									at, more, sizeof(Candidate), "pairs");
		merging->heap_room = more;
	}
	merging->heap_count++;
	while (at > 0 && is_before(&added, &merging->heap[(at - 1) / 2]))
	{
		merging->heap[at] = merging->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	merging->heap[at] = added;
}

/* Take the first pair from the heap, which has one. */
static Candidate
pop_candidate(Merging *merging)
{
	Candidate *heap = merging->heap;
	Candidate first = heap[0];
	Candidate last = heap[--merging->heap_count];
	size_t count = merging->heap_count;
	size_t at = 0;

	for (;;)
	{
		size_t child = 2 * at + 1;

		if (child + 1 < count && is_before(&heap[child + 1], &heap[child]))
			child++;
		if (child >= count || !is_before(&heap[child], &last))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = last;
	return first;
}

/* Note that a pair was seen in a sequence */
static void
note_place(Merging *merging, size_t pair, int sequence)
{
	int32 *last = &merging->pairs.entry[pair].last;

	if (*last >= 0 && merging->place[*last].sequence == sequence)
		return;
	if (merging->places == merging->place_room)
	{
		size_t more = Max(2 * merging->places, 1024);

		if (more > PG_INT32_MAX)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("too many pairs of ids to learn from")));
		merging->place =
			HxTrainGrow(merging->corpus->training, merging->place,
						merging->places, more, sizeof(Place), "pairs");
		merging->place_room = more;
	}
	merging->place[merging->places] = (Place){sequence, *last};
	*last = (int32) merging->places++;
}

/* Note that a pair is more by this step */
static void
note_touched(Merging *merging, size_t pair)
{
	if (merging->pairs.entry[pair].stamp == merging->step)
		return;
	merging->pairs.entry[pair].stamp = merging->step;
	if (merging->touched_count == merging->touched_room)
	{
		size_t more = Max(2 * merging->touched_room, 1024);

		merging->touched =
			HxTrainGrow(merging->corpus->training, merging->touched,
						merging->touched_room, more, sizeof(uint32), "pairs");
		merging->touched_room = more;
	}
	merging->touched[merging->touched_count++] = (uint32) pair;
}

/* The step is done: the heap gets the pairs that are more. */
static void
end_step(Merging *merging)
{
	for (size_t i = 0; i < merging->touched_count; i++)
	{
		const HxPair *pair = &merging->pairs.entry[merging->touched[i]];

		push_candidate(merging, (Candidate){pair->count, pair->key});
	}
	merging->touched_count = 0;
	merging->step++;
}

/* Count the pairs of a sequence, once more or once less */
static void
count_pairs(Merging *merging, int sequence, int sign)
{
	HxCorpus *corpus = merging->corpus;
	const uint32 *piece = corpus->symbol + corpus->start[sequence];

	for (int i = 0; i + 1 < merging->length[sequence]; i++)
	{
		size_t pair =
			HxAddPair(&merging->pairs, hx_pair_key(piece[i], piece[i + 1]));

		merging->pairs.entry[pair].count += sign * corpus->weight[sequence];
		if (sign < 0)
			continue;
		note_place(merging, pair, sequence);
		note_touched(merging, pair);
	}
}

/* Merge a pair in a sequence, from the left */
static void
merge_in(Merging *merging, int sequence, uint32 left, uint32 right,
		 uint32 merged)
{
	uint32 *piece = merging->corpus->symbol + merging->corpus->start[sequence];
	int length = merging->length[sequence];
	int kept = 0;

	for (int i = 0; i < length; i++)
	{
		bool found =
			i + 1 < length && piece[i] == left && piece[i + 1] == right;

		piece[kept++] = found ? merged : piece[i];
		i += found;
	}
	merging->length[sequence] = kept;
}

/* Merge a pair wherever it is */
static void
merge_pair(Merging *merging, int64 key, uint32 merged)
{
	size_t pair = (size_t) HxFindPair(&merging->pairs, key);
	uint32 left = (uint32) ((uint64) key >> 32);
	uint32 right = (uint32) key;
	int32 at = merging->pairs.entry[pair].last;

	for (; at >= 0; at = merging->place[at].before)
	{
		int sequence = merging->place[at].sequence;

		CHECK_FOR_INTERRUPTS();
		count_pairs(merging, sequence, -1);
		merge_in(merging, sequence, left, right, merged);
		count_pairs(merging, sequence, 1);
	}
	Assert(merging->pairs.entry[pair].count == 0);
	end_step(merging);
}

/* The pair to merge next; false if none came twice */
static bool
next_pair(Merging *merging, int64 *key)
{
	while (merging->heap_count > 0)
	{
		Candidate first = pop_candidate(merging);
		int64 pair = HxFindPair(&merging->pairs, first.key);
		int64 count = merging->pairs.entry[pair].count;
		int ids = merging->ids[(uint64) first.key >> 32] +
				  merging->ids[(uint32) first.key];

		if (count < 2 || ids > merging->corpus->longest || first.count < count)
			continue;
		if (first.count > count)
		{
			push_candidate(merging, (Candidate){count, first.key});
			continue;
		}
		*key = first.key;
		return true;
	}
	return false;
}

/* Count all pairs to begin with. */
static void
start_merging(HxCorpus *corpus, Merging *merging)
{
	HxTraining *training = corpus->training;

	merging->corpus = corpus;
	merging->length =
		HxTrainAlloc(training, corpus->count, sizeof(int), "sequences");
	merging->ids = HxTrainAlloc(training, corpus->size, 1, "pieces");
	HxStartPairs(training, &merging->pairs);
	memset(merging->ids, 1, corpus->size);
	for (int s = 0; s < corpus->count; s++)
	{
		CHECK_FOR_INTERRUPTS();
		merging->length[s] = (int) (corpus->start[s + 1] - corpus->start[s]);
		count_pairs(merging, s, 1);
	}
	end_step(merging);
}

void
HxLearnMerges(HxCorpus *corpus, HxDraft *draft)
{
	HxTraining *training = corpus->training;
	uint32 most = corpus->size - corpus->symbols - 1;
	int64 *key = HxTrainAlloc(training, most, sizeof(int64), "pieces");
	uint32 *number =
		HxTrainAlloc(training, (size_t) 2 * most, sizeof(uint32), "pieces");
	float *weight = HxTrainAlloc(training, most, sizeof(float), "pieces");
	Merging merging = {0};
	uint32 count = 0;

	start_merging(corpus, &merging);
	while (count < most && next_pair(&merging, &key[count]))
	{
		uint32 merged = corpus->symbols + 1 + count;

		merging.ids[merged] = (uint8) (merging.ids[(uint64) key[count] >> 32] +
									   merging.ids[(uint32) key[count]]);
		number[2 * count] = merged;
		merge_pair(&merging, key[count], merged);
		count++;
	}
	draft->dims = (int) (corpus->symbols + 1 + count);
	HxPutPieces(corpus, draft, count, key, number, weight,
				(uint32) draft->dims);
}
