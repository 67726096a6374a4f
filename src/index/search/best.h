/*
 * best.h
 *	  The best rows that a search has found so far.
 */
#ifndef HX_BEST_H
#define HX_BEST_H

#include "index/search/row.h"

/*
 * The best rows: the first of them in order, those behind in any order, until
 * they are needed.  A row that is worse than as many as there is room for is
 * lost, and with it every row that does not precede it: `worst` and `frontier`
 * tell from where on rows may be missing.  Rows found are collected and merged
 * from time to time; only then do they count.
 */
typedef struct HxBest
{
	HxCandidate *rows; /* sorted, no row twice */
	int64 count;
	int64 rows_room; /* allocated */
	int64 front;	 /* more of them than twice this are not kept sorted */

	HxCandidate *behind; /* further ones, of which none precedes ... */
	int64 nbehind;
	int64 behind_room;
	bool has_edge;
	HxCandidate edge; /* ... this one, nor any that was in `rows` */

	HxCandidate *added; /* found since, before the edge, in any order */
	int64 nadded;
	int64 most_added; /* before they are merged */
	int64 added_room;
	int waited; /* how often a merge was put off */

	int64 room;			  /* rows kept at most */
	bool lost;			  /* rows may be missing ... */
	HxCandidate frontier; /* ... that do not precede this one */
	double worst;		  /* its distance, or infinity */
} HxBest;

/* Nothing best, and room for this many rows; allocated where one stands. */
extern void HxResetBest(HxBest *best, int64 room);

/* Take note of a row, if it is not beyond the frontier. */
extern void HxKeepBest(HxBest *best, const HxCandidate *row);

/* Rows at this distance and farther need not be kept: they are lost. */
extern void HxBoundBest(HxBest *best, double distance);

/*
 * Merge the rows added with the others.  Unless `now`, it is put off where there
 * is room for many, and false is returned.
 */
extern bool HxMergeBest(HxBest *best, bool now);

/*
 * Have so many rows in order, if so many are kept; those that are stay where they
 * are.
 */
extern void HxSortBest(HxBest *best, int64 count);

/* Take away the rows from place `from` up to, not including, `to`. */
extern void HxRemoveBest(HxBest *best, int64 from, int64 to);

/* Rows kept; a few more than there is room for may be */
static inline int64
HxBestCount(const HxBest *best)
{
	return best->count + best->nbehind + best->nadded;
}

#endif /* HX_BEST_H */
