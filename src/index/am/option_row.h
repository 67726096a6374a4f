/*
 * option_row.h
 *	  Options of an index that the access method itself stores.
 */
#ifndef HX_OPTION_ROW_H
#define HX_OPTION_ROW_H

/*
 * Is this an index of ours that was just created or altered?  *value is the
 * option's, as this command has left its row in pg_class, which is not visible to
 * it yet; NULL if it has none.
 */
extern bool HxReadGiven(Oid oid, const char *name, char **value);

/* The option's value as it was before this command; NULL if there was none. */
extern char *HxReadBefore(Oid oid, const char *name);

/*
 * Give an index an option, in the place of what it has.  The caller's statement
 * has locked the index against everybody.
 */
extern void HxStoreOption(Oid oid, const char *name, int value);

/* ---- dims_option.c ---- */

/*
 * Was an index of ours created without the option dims, or has it lost it?  As
 * long as this command is not visible to itself.
 */
extern bool HxMayLackDims(Oid oid, bool created);

/*
 * See to it that an index knows the dimensions of its vectors; it is seen as it
 * is now.
 */
extern void HxKeepDims(Oid oid);

#endif /* HX_OPTION_ROW_H */
