/*
 * spool.c
 *	  Temporary files of an index build, and the rows in them.
 *
 * Whatever is as long as the table goes through files: shared memory is small
 * in many installations, and is needed for little else than to agree.
 */
#include "postgres.h"

#include "compat.h"
#include "index/build/spool.h"

/* Longest name of a file, with its number */
#define NAME_SIZE 32

BufFile *
HxCreateFile(HxBuild *build, const char *name, int number)
{
	char full[NAME_SIZE];

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

	snprintf(full, sizeof(full), "%s.%d", name, number);
	return HX_OPEN_SHARED_FILE(&build->shared->files, full);
}

HxSpool *
HxOpenSpool(HxBuild *build)
{
	HxSpool *spool = palloc0(sizeof(HxSpool));
	int nparts = build->shared->nparts;

	spool->build = build;
	spool->part = -1;
	spool->files = palloc0(nparts * sizeof(BufFile *));
	for (int p = 0; p < nparts; p++)
		spool->files[p] =
			build->parallel ? HxOpenFile(build, "rows", p) : build->rows;
	return spool;
}

void
HxReadSpool(HxSpool *spool, int64 number, HxRow *row)
{
	const HxBuildShared *shared = spool->build->shared;
	Size size = HxRowSize(spool->build->desc);
	int part = 0;

	while (part < shared->nparts - 1 && number >= shared->shares[part].rows)
		number -= shared->shares[part++].rows;
	if (part != spool->part || number != spool->next)
	{
		if (BufFileSeek(spool->files[part], 0, (off_t) (number * size),
						SEEK_SET) != 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not find row %lld in the temporary file of "
							"an index build",
							(long long) number)));
		spool->part = part;
	}
	HxReadFile(spool->files[part], row, size);
	spool->next = number + 1;
}

void
HxCloseSpool(HxSpool *spool)
{
	if (spool->build->parallel)
		for (int p = 0; p < spool->build->shared->nparts; p++)
			BufFileClose(spool->files[p]);
	pfree(spool->files);
	pfree(spool);
}
