/*
 * settings.c
 *	  What users set: hashemb.recall, hashemb.enable_scan, hashemb.simd.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "settings.h"
#include "kernel/kernel.h"

double hx_recall = 0.95;
bool hx_enable_scan = true;

/* hashemb.simd: values of the enum, "auto" and then hx_kernel_levels() */
#define SIMD_AUTO (-1)
static int simd_level = SIMD_AUTO;
static struct config_enum_entry simd_values[1 + HX_MAX_LEVELS + 1];

/*
 * Switches to the kernels of hashemb.simd; it can only name levels that this
 * machine runs.
 */
static void
assign_simd(int level, void *extra)
{
	const HxKernels *const *levels = hx_kernel_levels();

	(void) hx_kernel_choose(level == SIMD_AUTO ? "auto" : levels[level]->name);
}

/* Defines hashemb.simd with the levels of this machine. */
static void
define_simd(void)
{
	const HxKernels *const *levels = hx_kernel_levels();

	simd_values[0] = (struct config_enum_entry){"auto", SIMD_AUTO, false};
	for (int i = 0; levels[i] != NULL; i++)
		simd_values[i + 1] =
			(struct config_enum_entry){levels[i]->name, i, false};
	DefineCustomEnumVariable(
		"hashemb.simd", "Instruction set of the distance kernels.",
		"Every level gives the same results; auto is the fastest.", &simd_level,
		SIMD_AUTO, simd_values, PGC_USERSET, 0, NULL, assign_simd, NULL);
}

void
HxDefineSettings(void)
{
	DefineCustomRealVariable(
		"hashemb.recall",
		"Share of the exact nearest rows that an index search returns.",
		"The mean over queries; 1 makes every search exact.", &hx_recall, 0.95,
		0.5, 1.0, PGC_USERSET, 0, NULL, NULL, NULL);

	DefineCustomBoolVariable(
		"hashemb.enable_scan", "Enables the planner's use of hashemb scans.",
		"enable_indexscan disables them, too.", &hx_enable_scan, true,
		PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);

	define_simd();
}
