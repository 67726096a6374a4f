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
	int fillfactor;	   /* per cent of a rows page that a build fills */
	int block_rows;	   /* rows a block; 0: chosen by the build */
	int dims;		   /* of vectors whose type does not tell; 0: not given */
	int payload_bytes; /* code_bytes: of a dense vector's sketch; 0: chosen */
	int group_by;	   /* offset of the column's name or number; 0: not
					 * given */
} HxOptions;

/* Most dimensions that the option dims takes, and bytes that code_bytes does */
#define HX_MOST_DIMS 16000
#define HX_MOST_PAYLOAD 1024

#define HX_DEFAULT_FILLFACTOR 100
#define HX_MIN_FILLFACTOR 10

#endif /* HX_OPTIONS_H */
