/*
 * data.h
 *	  A benchmark's data in files, and the grid of filters asked of it.
 *
 * A data folder holds plain arrays without headers, so that every program here
 * maps what another wrote and ground truth is computed from the very bytes
 * that the server was given:
 *
 *	dims             one number as text: bits of a code
 *	codes.bin        rows x dims/8 bytes, dimension 1 in the most significant
 *	                 bit of byte 0 (or codes.npy, uint8 of the same shape)
 *	queries.bin      likewise (or queries.npy)
 *	labels.txt       optional: names of labels, one a line
 *	label.bin        optional: int16 a row, its label
 *	NAME.bin         attribute columns, one value a row, as BenchColumns says
 *	params.bin       one BenchParams a query
 *	truth.bin        one BenchTruth a query and filter, filter by filter
 */
#ifndef BENCH_DATA_H
#define BENCH_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ks asked for */
#define BENCH_KS 3
extern const int bench_k[BENCH_KS];

/* Columns that hold rows finer than a block, and queries that share one */
#define BENCH_FINE 8
/* Pivot rows of the neighbourhoods: the first so many of the fine ones */
#define BENCH_COARSE_PIVOTS 64
#define BENCH_FINE_PIVOTS 4096

/* What a filter on NULL sees in nul.bin */
#define BENCH_NULL (-1)

typedef struct BenchColumns
{
	const int32_t *rnd;				 /* 0 .. 999,999, uniform */
	const int16_t *cat;				 /* 0 .. 19, uniform */
	const int16_t *nul;				 /* NULL in 5 %, else 0 .. 9 */
	const int16_t *near64;			 /* nearest of 64 pivot rows */
	const int16_t *near4096;		 /* nearest of 4,096 pivot rows */
	const uint64_t *tags;			 /* set of up to 4 tags of 64, skewed */
	const int16_t *fine[BENCH_FINE]; /* query / 8 that the row is for, or -1 */
	const int16_t *label;			 /* number in labels.txt, or NULL */
} BenchColumns;

/* A query's constants */
typedef struct BenchParams
{
	int16_t own64;		/* the query's nearest pivot of 64 */
	int16_t opposite64; /* its farthest */
	int16_t own4096;
	int16_t opposite4096;
	int32_t low;	 /* start of its range of rnd, 50,000 wide */
	int16_t cat;	 /* its category */
	int16_t any[2];	 /* tags of which a row has one */
	int16_t both[2]; /* tags of which a row has both */
	int16_t number;	 /* of the query */
} BenchParams;

/* What is true of a query and a filter */
typedef struct BenchTruth
{
	uint32_t matches;		/* rows that pass */
	uint16_t kth[BENCH_KS]; /* distance of the min(k, matches)-th of them */
	uint16_t unused;
} BenchTruth;

typedef struct BenchSet
{
	const char *folder;
	size_t bytes; /* of a code */
	size_t rows;
	size_t queries;
	const uint8_t *codes;
	const uint8_t *query_codes;
	BenchColumns column;
	const BenchParams *params;
	const BenchTruth *truth;
	char **labels; /* names, or NULL */
	int label_count;
} BenchSet;

/* A filter: its name, its SQL, and the same in C */
typedef struct BenchFilter
{
	const char *name;
	const char *where; /* SQL; $2, $3 are parameters, %d the fine column */
	const char *types; /* the parameters' SQL types, comma-separated, or "" */
	/* mask[i] = whether row first + i passes */
	void (*match)(const BenchSet *set, const BenchParams *query, size_t first,
				  size_t count, uint8_t *mask);
	/* Write parameters as text; NULL without any */
	void (*bind)(const BenchParams *query, char text[2][32]);
} BenchFilter;

extern const BenchFilter bench_filters[];
extern const int bench_filter_count;

/* The filter that a label's name asks for, where there are labels */
#define BENCH_LABEL "noun.food"
extern int bench_label_filter(void);

/* What is true of a filter and a query whose distance to each row is known */
extern void bench_find_truth(const BenchSet *set, const BenchFilter *filter,
							 size_t query, const uint16_t *distances,
							 BenchTruth *truth);

/* Distances of a query to all rows */
extern void bench_distances(const BenchSet *set, size_t query,
							uint16_t *distances);

/* How much of the folder is needed already */
typedef enum BenchNeed
{
	BENCH_CODES,
	BENCH_RND, /* of the columns rnd alone */
	BENCH_COLUMNS,
	BENCH_TRUTH
} BenchNeed;

/* Map a folder.  Prints what is missing and exits when it is not as needed. */
extern void bench_open(BenchSet *set, const char *folder, BenchNeed need);

/* Map a file of the folder and tell its size; exits where there is none. */
extern const void *bench_map(const char *folder, const char *name,
							 size_t *bytes);

/* Write a file into the folder; exits on failure. */
extern void bench_write(const char *folder, const char *name, const void *data,
						size_t bytes);

/* Hamming distance of two codes */
extern int bench_hamming(const uint8_t *a, const uint8_t *b, size_t bytes);

/* The random numbers used here: number i of stream s, the same everywhere */
extern uint64_t bench_random(uint64_t stream, uint64_t i);

/* Memory, or exit */
extern void *bench_alloc(size_t bytes);

/* Say why and exit */
extern void bench_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#endif /* BENCH_DATA_H */
