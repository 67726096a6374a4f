/*
 * options.h
 *	  Storage parameters of an index.
 */
#ifndef HX_OPTIONS_H
#define HX_OPTIONS_H

/* What rd_options points to, if any was given */
typedef struct HxOptions
{
	int32 vl_len_;
	int fillfactor; /* per cent of a rows page that a build fills */
	int block_rows; /* rows a block; 0: chosen by the build */
	int dims;		/* of vectors whose type does not tell; 0: not given */
	int code_bytes; /* of a dense vector's code; 0: chosen by the build */
	int group_by;	/* offset of the column's name or number; 0: not
					 * given */
} HxOptions;

/* Most dimensions of a dense vector, and bytes of its code */
#define HX_MAX_DENSE_DIMS 16000
#define HX_MAX_CODE_BYTES 1024

#define HX_DEFAULT_FILLFACTOR 100
#define HX_MIN_FILLFACTOR 10

#endif /* HX_OPTIONS_H */
