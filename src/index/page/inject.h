/*
 * inject.h
 *	  Injection points: places where a test makes the access method fail, wait
 *	  or die.
 *
 * Only in builds with assertions (USE_ASSERT_CHECKING); otherwise a point is
 * nothing.  The setting hashemb.inject names a point and what happens there:
 *
 *	   point:error      an error is raised
 *	   point:crash      the process logs the point, flushes WAL, and kills itself
 *	                    (SIGKILL)
 *	   point:wait       waits for the advisory lock HX_INJECT_LOCK, shared
 *	   point:sleep=ms   sleeps
 *	   point:cancel@n   cancels the statement at the nth time; an error if the point
 *	                    is reached once more, for then a loop was not left
 *
 * An action with @n behind it happens at the nth time only that the process
 * reaches the point; without, every time.  A point to wait at must not hold
 * buffer locks: such points are marked HX_INJECT_LOCKED and refuse to wait.
 * HX_INJECT_LOOP marks a round of a loop that may be long; only cancelling has a
 * use there.
 */
#ifndef HX_INJECT_H
#define HX_INJECT_H

#ifdef USE_ASSERT_CHECKING

/* Key of the advisory lock that points wait for: "hx" */
#define HX_INJECT_LOCK 26744

#define HX_INJECT(point) HxInject(point, false)
#define HX_INJECT_LOCKED(point) HxInject(point, true)
#define HX_INJECT_LOOP(point) HxInject(point, true)

extern void HxInject(const char *point, bool locked);
extern void HxInitInjection(void);

#else

#define HX_INJECT(point) ((void) 0)
#define HX_INJECT_LOCKED(point) ((void) 0)
#define HX_INJECT_LOOP(point) ((void) 0)
#define HxInitInjection() ((void) 0)

#endif

#endif /* HX_INJECT_H */
