/*
 * file.h
 *	  Reading temporary files.
 */
#ifndef HX_FILE_H
#define HX_FILE_H

#include "storage/buffile.h"

/* Read this many bytes; errors if there are fewer. */
static inline void
HxReadFile(BufFile *file, void *data, Size size)
{
	if (BufFileRead(file, data, size) != size)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read the temporary file of an index "
							   "build: %m")));
}

#endif /* HX_FILE_H */
