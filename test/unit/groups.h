/*
 * groups.h
 *	  What tests of kernels share: groups of cases that are counted, and memory
 *	  between pages that cannot be touched.
 */
#ifndef HX_TEST_GROUPS_H
#define HX_TEST_GROUPS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "random.h"

/* Writable bytes between two guard pages */
typedef struct Area
{
	uint8_t *start;
	size_t size;
} Area;

static int passed;
static int failed;

/* The group under test: its name, cases and failures so far */
static char group_name[80];
static int group_cases;
static int group_failures;

static void begin_group(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void
begin_group(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(group_name, sizeof(group_name), format, arguments);
	va_end(arguments);
	group_cases = group_failures = 0;
}

static void
end_group(void)
{
	printf("%-6s %s: %d cases, %d failed\n", group_failures ? "FAILED" : "ok",
		   group_name, group_cases, group_failures);
	fflush(stdout);
	if (group_failures)
		failed++;
	else
		passed++;
}

/* Counts a case; says what failed, for the first few of a group. */
static void check(int good, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
check(int good, const char *format, ...)
{
	va_list arguments;

	group_cases++;
	if (good)
		return;
	if (group_failures++ >= 5)
		return;
	va_start(arguments, format);
	printf("  ");
	vprintf(format, arguments);
	printf("\n");
	va_end(arguments);
}

static Area
make_area(size_t size)
{
	size_t page = (size_t) sysconf(_SC_PAGESIZE);
	Area area;
	uint8_t *all;

	area.size = (size + page - 1) / page * page;
	all = mmap(NULL, area.size + 2 * page, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED ||
		mprotect(all + page, area.size, PROT_READ | PROT_WRITE) != 0)
	{
		perror("cannot map memory");
		exit(2);
	}
	area.start = all + page;
	return area;
}

/* A place for `size` bytes: at the end, the start, or a little behind it. */
static uint8_t *
place(Area area, size_t size, size_t alignment)
{
	size_t slack;

	if (size > area.size)
	{
		fprintf(stderr, "area of %zu bytes is too small for %zu\n", area.size,
				size);
		exit(2);
	}
	slack = area.size - size;
	if (random_below(2) == 0)
		return area.start + slack;
	return area.start +
		   random_below((slack < 64 ? slack : 64) / alignment + 1) * alignment;
}

#endif /* HX_TEST_GROUPS_H */
