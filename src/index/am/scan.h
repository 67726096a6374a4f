/*
 * scan.h
 *	  What the scan node adds to an index scan.
 *
 * The node begins, rescans and ends an ordinary index scan of an index of ours
 * with one ORDER BY key, and calls HxSetScanRequest between index_rescan() and
 * the first index_getnext_tid().  Rows come by (distance, TID), unless NULL or
 * NaN are to come first.  A rescan forgets the request.
 *
 * Whether a row that comes still has to be looked at:
 *	- with heap.check, every row was found to pass it: only fetch it;
 *	- without, scan->xs_recheck tells whether filter or set are not exact.
 */
#ifndef HX_SCAN_H
#define HX_SCAN_H

#include "access/relscan.h"
#include "index/search/search.h"

typedef struct HxScanRequest
{
	double recall;			/* target; 1: exact */
	uint64 limit;			/* rows wanted; 0: not known */
	bool ties;				/* and those as near as the last of them */
	bool ends;				/* nobody asks for more */
	int64 few_first;		/* not known how many: see HxSearchSpec */
	bool nulls_first;		/* rows without a distance come first, */
	bool nans_first;		/* then those whose distance is NaN */
	const HxCondExpr *expr; /* on attributes, beside the scan keys; or NULL */
	const HxTidSet *tids;	/* finished; NULL: all rows */
	const HxBoundTest *limits; /* of the distance, see HxSearchSpec ... */
	int nlimits;			   /* ... so many */
	bool never;				   /* a limit is NULL, so no row passes */
	double few;		 /* rows that should pass expr and keys, if these are
							 * so few that they should be ranked; else 0 */
	HxHeapRows heap; /* heap rows; all zeros: not looked at */
} HxScanRequest;

/*
 * Say what is wanted.  The request is copied; what it points to must last until
 * the scan is rescanned or ended.
 */
extern void HxSetScanRequest(IndexScanDesc scan, const HxScanRequest *request);

/*
 * Must heap rows be checked against the conditions of scan keys, expr and tids
 * too, which alone do not decide?  For a scan whose request is set.
 */
extern bool HxScanNeedsRecheck(IndexScanDesc scan);

/* What the scan did since the last rescan, or NULL if it has not begun */
extern const HxSearchStats *HxScanStats(IndexScanDesc scan);

/* Does the scan, which has begun, miss nothing, as far as it has come? */
extern bool HxScanIsExact(IndexScanDesc scan);

#endif /* HX_SCAN_H */
