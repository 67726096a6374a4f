/*
 * lists.h
 *	  Lists of a window as bounds and products walk over them.
 */
#ifndef HX_SPARSE_LISTS_H
#define HX_SPARSE_LISTS_H

#include "index/sparse/sparse.h"

/* Postings that a log has room for */
#define HX_LOG_ROOM 4096

/* Lists whose beginning is brought into the cache ahead of their turn */
#define HX_LISTS_AHEAD 6

/* Where a walk over units is: its page stays share-locked */
typedef struct HxUnitCursor
{
	const HxWindowReader *reader;
	Buffer buffer; /* InvalidBuffer: none yet */
	uint32 number; /* of the page */
} HxUnitCursor;

static inline void
HxEndCursor(HxUnitCursor *cursor)
{
	if (BufferIsValid(cursor->buffer))
		UnlockReleaseBuffer(cursor->buffer);
	cursor->buffer = InvalidBuffer;
}

/*
 * The units from one on, as many of `left` as its page has; NULL if the window
 * was replaced.
 */
static inline const HxPosting *
HxGoToUnit(HxUnitCursor *cursor, uint32 unit, int left, int *count)
{
	uint32 number = unit / HX_UNITS_A_PAGE;
	uint32 at = unit % HX_UNITS_A_PAGE;

	Assert(left > 0);
	if (!BufferIsValid(cursor->buffer) || cursor->number != number)
	{
		HxEndCursor(cursor);
		cursor->buffer =
			HxReadWindowPage(cursor->reader, HX_SECTION_POSTINGS, number);
		cursor->number = number;
		if (!BufferIsValid(cursor->buffer))
			return NULL;
	}
	*count = Min(left, (int) (HX_UNITS_A_PAGE - at));
	return HxPagePostings(BufferGetPage(cursor->buffer)) + at;
}

/* Units that a list is bounded by: its heights, or bounds, or else its postings */
static inline int
HxBoundingUnits(const HxSparseLists *lists, int list)
{
	const HxDim *dim = &lists->dims[list];

	if (lists->tall[list])
		return HxHeightUnits(lists->reader->window.rows);
	return dim->blocks > 0 ? dim->blocks : dim->count;
}

/* The first of these */
static inline uint32
HxFirstBounding(const HxSparseLists *lists, int list)
{
	return lists->dims[list].start -
		   (lists->tall[list] ? HxHeightUnits(lists->reader->window.rows) : 0);
}

/* Runs of postings of chosen blocks, and what bounds them */
typedef struct HxPostingRuns
{
	int count;
	uint16 from[HX_WINDOW_BLOCKS];
	uint16 to[HX_WINDOW_BLOCKS];
	uint16 block[HX_WINDOW_BLOCKS];
	uint16
		max[HX_WINDOW_BLOCKS]; /* greatest absolute weight, see HxBlockBound */
} HxPostingRuns;

/*
 * Copies of postings whose products were added up, those of a list beside each
 * other, so that they can be added again in another order
 */
typedef struct HxPostingLog
{
	int count;
	bool is_full; /* some had no room */
	HxPosting postings[HX_LOG_ROOM];
} HxPostingLog;

/*
 * What visits of windows write to.  Rows of a window are fewer than there are sums,
 * but a damaged page may name any slot.
 */
struct HxScratch
{
	double sums[HX_WINDOW_SLOTS];	 /* products by slot */
	double maxima[HX_WINDOW_BLOCKS]; /* greatest of them by block */
	HxPostingLog log;
};

/* Blocks to score */
typedef struct HxChosenBlocks
{
	int count;
	uint16 blocks[HX_WINDOW_BLOCKS];   /* ascending */
	uint64 set[HX_WINDOW_BLOCKS / 64]; /* the same, a bit each */
} HxChosenBlocks;

/* The query's weight that a list's postings are multiplied with */
static inline float
HxListWeight(const HxSparseLists *lists, int list)
{
	return lists->query->weights[lists->which[list]];
}

/* Copy postings to a log, if there is one. */
static inline void
HxLogPostings(HxPostingLog *log, const HxPosting *postings, int count)
{
	if (!log)
		return;
	if (count > HX_LOG_ROOM - log->count)
	{
		log->is_full = true;
		return;
	}
	memcpy(log->postings + log->count, postings, count * sizeof(HxPosting));
	log->count += count;
}

static inline double
HxGreater(double a, double b)
{
	return a > b ? a : b;
}

/* lists.c */
extern void HxPrefetchUnits(const HxWindowReader *reader, uint32 unit,
							int count);
extern void HxPrefetchList(const HxWindowReader *reader, const HxDim *dim,
						   const HxChosenBlocks *chosen);
extern bool HxAddRun(HxUnitCursor *cursor, const HxDim *dim, int from, int to,
					 double weight, double *sums, HxPostingLog *log);
extern void HxListChosen(const uint64 *blocks, HxChosenBlocks *chosen);
extern bool HxFindRuns(HxUnitCursor *cursor, const HxDim *dim,
					   const HxChosenBlocks *chosen, HxPostingRuns *runs);
extern bool HxAddUnbounded(HxUnitCursor *cursor, const HxDim *dim,
						   double weight, const HxChosenBlocks *chosen,
						   double *sums, double *rest, HxPostingLog *log);

#endif /* HX_SPARSE_LISTS_H */
