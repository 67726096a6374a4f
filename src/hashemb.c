/*
 * hashemb.c
 *	  Module entry point.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "compat.h"
#include "settings.h"
#include "index/am/handler.h"
#include "index/page/inject.h"
#include "plan/plan.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/* Called once when a backend loads the library. */
void
_PG_init(void)
{
	HxDefineSettings();
	HxInitScanNode();
	HxInitOptions();
	HxInitGroupOption();
	HxInitInjection();
	MarkGUCPrefixReserved("hashemb");
}
