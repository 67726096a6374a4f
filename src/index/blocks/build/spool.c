/*
 * spool.c
 *	  The rows that a build has loaded, in temporary files.
 */
#include "postgres.h"

#include "index/blocks/build/spool.h"
#include "index/build/file.h"

HxSpool *
HxOpenSpool(HxBuild *build)
{
	HxSpool *spool = palloc0(sizeof(HxSpool));
	int nparts = build->shared->nparts;

	Assert(build->parallel || build->rows);
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

	while (part < shared->nparts - 1 && number >= shared->work[part].rows)
		number -= shared->work[part++].rows;
	Assert(number >= 0 && number < shared->work[part].rows);
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
