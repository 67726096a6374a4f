/*
 * hashemb.c
 *	  Module entry point and settings.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "compat.h"
#include "hashemb.h"
#include "index/handler.h"
#include "kernel/kernel.h"

PG_MODULE_MAGIC;

double hx_recall = 0.95;

PGDLLEXPORT void _PG_init(void);

/* Called once when a backend loads the library. */
void
_PG_init(void)
{
	DefineCustomRealVariable(
		"hashemb.recall",
		"Share of the exact nearest rows that an index search returns.",
		"The mean over queries; 1 makes every search exact.", &hx_recall, 0.95,
		0.5, 1.0, PGC_USERSET, 0, NULL, NULL, NULL);

	HxInitOptions();
	MarkGUCPrefixReserved("hashemb");
}
