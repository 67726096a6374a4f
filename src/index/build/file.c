/*
 * file.c
 *	  Temporary files of an index build.
 *
 * Whatever is as long as the table goes through files: shared memory is small
 * in many installations, and is needed for little else than to agree.
 */
#include "postgres.h"

#include "compat.h"
#include "index/build/build.h"
#include "index/build/file.h"

/* Longest name of a file, with its number */
#define NAME_SIZE 32

/* The file of what the leader has learnt */
#define LEARNT "learnt"

BufFile *
HxCreateFile(HxBuild *build, const char *name, int number)
{
	char full[NAME_SIZE];

	Assert(build->shared && number >= 0);
	if (!build->parallel)
		return BufFileCreateTemp(false);
	snprintf(full, sizeof(full), "%s.%d", name, number);
	return HX_CREATE_SHARED_FILE(&build->shared->files, full);
}

void
HxFinishFile(HxBuild *build, BufFile *file)
{
	if (!build->parallel)
		return;
	HX_EXPORT_SHARED_FILE(file);
	BufFileClose(file);
}

BufFile *
HxOpenFile(HxBuild *build, const char *name, int number)
{
	char full[NAME_SIZE];

	Assert(build->parallel && number >= 0);
	snprintf(full, sizeof(full), "%s.%d", name, number);
	return HX_OPEN_SHARED_FILE(&build->shared->files, full);
}

void
HxShareLearnt(HxBuild *build, const char *packed, Size size)
{
	BufFile *file;

	if (!build->parallel)
		return;
	file = HxCreateFile(build, LEARNT, 0);
	BufFileWrite(file, &size, sizeof(size));
	if (size > 0)
		BufFileWrite(file, unconstify(char *, packed), size);
	HxFinishFile(build, file);
}

char *
HxReceiveLearnt(HxBuild *build, Size *size)
{
	BufFile *file = HxOpenFile(build, LEARNT, 0);
	char *packed;

	HxReadFile(file, size, sizeof(*size));
	packed = palloc_extended(*size + 1, MCXT_ALLOC_HUGE);
	if (*size > 0)
		HxReadFile(file, packed, *size);
	BufFileClose(file);
	return packed;
}
