/*
 * open.h
 *	  Opening an index that an SQL function was given.
 */
#ifndef HX_OPEN_H
#define HX_OPEN_H

#include "storage/lockdefs.h"
#include "utils/relcache.h"

/* What an index is opened for, and who may do that */
typedef enum HxPurpose
{
	HX_TO_SHOW,	   /* to whom pg_stats would show statistics of its columns */
	HX_TO_CHECK,   /* these, and the table's owner */
	HX_TO_MAINTAIN /* the table's owner only */
} HxPurpose;

typedef struct HxOpened
{
	Relation table;
	Relation index;
	LOCKMODE table_lock;
	LOCKMODE index_lock;
} HxOpened;

/*
 * Open an index of ours and its table, the table first as others do, and lock
 * them.  Errors if the OID is not that of a valid index of ours that has pages,
 * or of another session's temporary one, and if the user may not do what it is
 * opened for.  Locks beyond AccessShareLock are taken for the owner only.
 */
extern void HxOpenIndex(Oid oid, HxPurpose purpose, LOCKMODE table_lock,
						LOCKMODE index_lock, HxOpened *opened);

/* Close both and release the locks. */
extern void HxCloseIndex(const HxOpened *opened);

/* Who called, while the table's owner acts */
typedef struct HxCaller
{
	Oid user;
	int context;
	int settings; /* nest level */
} HxCaller;

/*
 * Act with the rights of the table's owner, whose functions expressions of the
 * index may call, as in REINDEX; and no longer.
 */
extern void HxBecomeOwner(const HxOpened *opened, HxCaller *caller);
extern void HxBecomeCaller(const HxCaller *caller);

#endif /* HX_OPEN_H */
