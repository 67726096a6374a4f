/*
 * inject.c
 *	  Injection points, for tests: see inject.h.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "compat.h"
#include "index/page/inject.h"
#include "index/page/page.h"

#ifdef USE_ASSERT_CHECKING

static char *setting;
static long reached; /* times that the point was reached in this process */

/* A new setting counts from the start. */
static void
assign_setting(const char *value, void *extra)
{
	reached = 0;
}

/* Wait until nobody holds the advisory lock exclusively. */
static void
wait_for_lock(void)
{
	Datum key = Int64GetDatum(HX_INJECT_LOCK);

	(void) DirectFunctionCall1(pg_advisory_lock_shared_int8, key);
	(void) DirectFunctionCall1(pg_advisory_unlock_shared_int8, key);
}

/* Do what the setting says. */
static void
act(const char *point, const char *action, bool locked)
{
	if (strncmp(action, "error", 5) == 0)
		elog(ERROR, "injected error at \"%s\"", point);
	if (strncmp(action, "crash", 5) == 0)
	{
		elog(LOG, "injected crash at \"%s\"", point);
		/* Or what was logged last would be lost, as in a crash before it */
		XLogFlush(GetXLogInsertRecPtr());
		(void) kill(getpid(), SIGKILL);
		pg_usleep(1000000);
	}
	else if (strncmp(action, "sleep=", 6) == 0)
		pg_usleep(atol(action + 6) * 1000);
	else if (strncmp(action, "cancel", 6) == 0)
		(void) kill(getpid(), SIGINT);
	else if (strncmp(action, "wait", 4) == 0 && !locked)
	{
		elog(LOG, "waiting at \"%s\"", point);
		wait_for_lock();
	}
	else
		elog(ERROR, "injection point \"%s\" has no action \"%s\"", point,
			 action);
}

/*
 * A point was reached; `locked` if buffer locks are held.  In a critical
 * section an error becomes a panic.
 */
void
HxInject(const char *point, bool locked)
{
	Size length = strlen(point);
	const char *at;

	Assert(locked || HxHoldsNoPage());
	if (!setting || strncmp(setting, point, length) != 0 ||
		setting[length] != ':')
		return;
	reached++;
	at = strchr(setting, '@');
	if (at && reached > atol(at + 1) &&
		strncmp(setting + length + 1, "cancel", 6) == 0)
		elog(ERROR, "a cancel was not answered at \"%s\"", point);
	if (!at || reached == atol(at + 1))
		act(point, setting + length + 1, locked);
}

/* Define the setting. */
void
HxInitInjection(void)
{
	DefineCustomStringVariable(
		"hashemb.inject", "What happens at which injection point.",
		"For tests: point:action, in builds with assertions only.", &setting,
		"", PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, assign_setting, NULL);
}

#endif
