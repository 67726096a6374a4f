/*
 * cache.c
 *	  Encoders that calls have read, kept for the calls that follow.
 *
 * A call site knows its encoder again by the place of its bytes out of line, or
 * by its header.  The session keeps encoders beyond the statement, because a
 * trigger's function evaluates its expressions anew for every row: they are
 * found by the header, digest included.  Those that no call site uses are kept
 * while they fit into work_mem, the last used ones longest.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "encoder/model/model.h"

/* An encoder in memory */
typedef struct Kept
{
	dlist_node node;
	MemoryContext context; /* of the model, and of this */
	HxModel *model;
	int users; /* call sites */
} Kept;

/* What a call site knows of its encoder */
typedef struct Site
{
	Kept *kept;				 /* NULL if none is held */
	bool external;			 /* was it stored out of line? */
	varatt_external pointer; /* if so, where */
	MemoryContextCallback callback;
} Site;

/* All encoders in memory, the last used first */
static dlist_head all_kept = DLIST_STATIC_INIT(all_kept);

/* Free encoders without users, from the first that does not fit. */
static void
trim(void)
{
	Size limit = work_mem * (Size) 1024;
	Size total = 0;
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &all_kept)
	{
		Kept *kept = dlist_container(Kept, node, iter.cur);

		total += MemoryContextMemAllocated(kept->context, true);
		if (kept->users == 0 && total > limit)
		{
			dlist_delete(&kept->node);
			MemoryContextDelete(kept->context);
		}
	}
}

/* The site uses its encoder no longer: also called when its memory goes. */
static void
release(void *argument)
{
	Site *site = argument;
	Kept *kept = site->kept;

	site->kept = NULL;
	if (kept == NULL)
		return;
	kept->users--;
	trim();
}

/* Is the site's encoder the one given? */
static bool
is_held(const Site *site, const struct varlena *value)
{
	const HxModel *model;
	varatt_external pointer;

	if (site->kept == NULL)
		return false;
	model = site->kept->model;
	if (VARATT_IS_EXTERNAL_ONDISK(value))
	{
		VARATT_EXTERNAL_GET_POINTER(pointer, value);
		return site->external &&
			   pointer.va_valueid == site->pointer.va_valueid &&
			   pointer.va_toastrelid == site->pointer.va_toastrelid &&
			   pointer.va_rawsize == site->pointer.va_rawsize;
	}
	if (VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value))
		return false;
	return VARSIZE_ANY_EXHDR(value) == model->size &&
		   memcmp(VARDATA_ANY(value), model->bytes, HX_MODEL_HEADER) == 0;
}

/* The encoder in memory that has the value's header, or NULL */
static Kept *
find_kept(Datum value)
{
	struct varlena *header = PG_DETOAST_DATUM_SLICE(value, 0, HX_MODEL_HEADER);
	dlist_iter iter;

	if (VARSIZE_ANY_EXHDR(header) != HX_MODEL_HEADER)
		return NULL;
	dlist_foreach(iter, &all_kept)
	{
		Kept *kept = dlist_container(Kept, node, iter.cur);

		if (memcmp(VARDATA_ANY(header), kept->model->bytes, HX_MODEL_HEADER) ==
			0)
			return kept;
	}
	return NULL;
}

/* Read an encoder, to be kept; of an error nothing stays. */
static Kept *
read_model(Datum value, MemoryContext caller)
{
	MemoryContext context =
		AllocSetContextCreate(caller, "hashemb encoder", ALLOCSET_SMALL_SIZES);
	Kept *kept;

	MemoryContextSwitchTo(context);
	kept = palloc0(sizeof(Kept));
	kept->context = context;
	kept->model = HxLoadModel(value);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, TopMemoryContext);
	dlist_push_head(&all_kept, &kept->node);
	return kept;
}

/* The site of a call, made at its first */
static Site *
call_site(FmgrInfo *function)
{
	Site *site = function->fn_extra;

	if (site != NULL)
		return site;
	site = MemoryContextAllocZero(function->fn_mcxt, sizeof(Site));
	site->callback.func = release;
	site->callback.arg = site;
	MemoryContextRegisterResetCallback(function->fn_mcxt, &site->callback);
	function->fn_extra = site;
	return site;
}

/*
 * The model in an argument.  It stays in memory at least until the call site is
 * given another, or ends.
 */
const HxModel *
HxModelArgument(FunctionCallInfo fcinfo, int argument)
{
	Datum value = PG_GETARG_DATUM(argument);
	struct varlena *stored = (struct varlena *) DatumGetPointer(value);
	Site *site = call_site(fcinfo->flinfo);
	Kept *kept;

	if (is_held(site, stored))
		return site->kept->model;
	kept = find_kept(value);
	if (kept == NULL)
		kept = read_model(value, CurrentMemoryContext);
	dlist_move_head(&all_kept, &kept->node);
	kept->users++;
	release(site);
	site->kept = kept;
	site->external = VARATT_IS_EXTERNAL_ONDISK(stored);
	if (site->external)
		VARATT_EXTERNAL_GET_POINTER(site->pointer, stored);
	return kept->model;
}
