/*
 * spool.c
 *	  The rows that a build has loaded, in temporary files.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/build/build.h"
#include "index/build/file.h"

struct HxSpool
{
	HxBuild *build;
	Size size;		 /* of a row */
	BufFile **files; /* one a part */
	int part;		 /* where the last row was read */
	int64 next;		 /* row of the part that comes next there */
};

BufFile *
HxOpenPart(HxBuild *build, int part)
{
	if (build->parallel)
		return HxOpenFile(build, "rows", part);
	Assert(build->rows && part == 0);
	if (BufFileSeek(build->rows, 0, 0, SEEK_SET) != 0)
		elog(ERROR, "could not rewind the spool of an index build");
	return build->rows;
}

void
HxClosePart(HxBuild *build, BufFile *file)
{
	if (build->parallel)
		BufFileClose(file);
}

void
HxDropSpool(HxBuild *build)
{
	if (!build->parallel && build->rows)
		BufFileClose(build->rows);
	build->rows = NULL;
}

HxSpool *
HxOpenSpool(HxBuild *build)
{
	HxSpool *spool = palloc0(sizeof(HxSpool));
	int nparts = build->shared->nparts;

	spool->build = build;
	spool->size = HxRowSize(build->desc);
	spool->part = -1;
	spool->files = palloc0(nparts * sizeof(BufFile *));
	for (int p = 0; p < nparts; p++)
		spool->files[p] = HxOpenPart(build, p);
	return spool;
}

void
HxReadSpool(HxSpool *spool, int64 number, HxRow *row)
{
	const HxBuildShared *shared = spool->build->shared;
	int part = 0;

	CHECK_FOR_INTERRUPTS();
	while (part < shared->nparts - 1 && number >= shared->work[part].rows)
		number -= shared->work[part++].rows;
	Assert(number >= 0 && number < shared->work[part].rows);
	if (part != spool->part || number != spool->next)
	{
		if (BufFileSeek(spool->files[part], 0, (off_t) (number * spool->size),
						SEEK_SET) != 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not find row %lld in the temporary file of "
							"an index build",
							(long long) number)));
		spool->part = part;
	}
	HxReadFile(spool->files[part], row, spool->size);
	spool->next = number + 1;
}

void
HxCloseSpool(HxSpool *spool)
{
	for (int p = 0; p < spool->build->shared->nparts; p++)
		HxClosePart(spool->build, spool->files[p]);
	pfree(spool->files);
	pfree(spool);
}
