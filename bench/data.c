/*
 * data.c
 *	  Reads and writes a benchmark's data folder; states the filters.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data.h"
#include "filters.h"

const int bench_k[BENCH_KS] = {1, 10, 100};

void
bench_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

void *
bench_alloc(size_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1);

	if (memory == NULL)
		bench_fail("no memory for %zu bytes", bytes);
	return memory;
}

uint64_t
bench_random(uint64_t stream, uint64_t i)
{
	/* splitmix64 (Steele, Lea and Flood), entered at any place */
	uint64_t x = stream * 0xd1342543de82ef95u + i * 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

int
bench_hamming(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	int sum = 0;
	size_t i = 0;

	for (; i + 8 <= bytes; i += 8)
	{
		uint64_t x, y;

		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		sum += __builtin_popcountll(x ^ y);
	}
	for (; i < bytes; i++)
		sum += __builtin_popcount(a[i] ^ b[i]);
	return sum;
}

/* Files */

static const char *
path_of(const char *folder, const char *name)
{
	static char path[4096];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

void
bench_write(const char *folder, const char *name, const void *data,
			size_t bytes)
{
	FILE *file = fopen(path_of(folder, name), "wb");

	if (file == NULL || fwrite(data, 1, bytes, file) != bytes ||
		fclose(file) != 0)
		bench_fail("%s/%s: %s", folder, name, strerror(errno));
}

/* Map a file; NULL where there is none */
static const void *
map_file(const char *folder, const char *name, size_t *bytes)
{
	int file = open(path_of(folder, name), O_RDONLY);
	struct stat state;
	void *memory;

	if (file < 0 || fstat(file, &state) != 0 || state.st_size == 0)
		return NULL;
	memory = mmap(NULL, state.st_size, PROT_READ, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		bench_fail("%s/%s: %s", folder, name, strerror(errno));
	close(file);
	*bytes = state.st_size;
	return memory;
}

const void *
bench_map(const char *folder, const char *name, size_t *bytes)
{
	const void *memory = map_file(folder, name, bytes);

	if (memory == NULL)
		bench_fail("%s/%s is missing", folder, name);
	return memory;
}

/* Map a file that must be there and of this size */
static const void *
map_exactly(const char *folder, const char *name, size_t bytes)
{
	size_t found;
	const void *memory = bench_map(folder, name, &found);

	if (found != bytes)
		bench_fail("%s/%s has %zu bytes, expected %zu", folder, name, found,
				   bytes);
	return memory;
}

/*
 * Codes from NAME.bin or NAME.npy.  Of NumPy's format only what an array of
 * packed bits is saved as: version 1, little-endian header length in bytes 8
 * and 9, uint8 in C order.
 */
static const uint8_t *
map_codes(const char *folder, const char *name, size_t code_bytes,
		  size_t *count)
{
	char file[64];
	size_t bytes, header = 0;
	const uint8_t *memory;

	snprintf(file, sizeof file, "%s.bin", name);
	memory = map_file(folder, file, &bytes);
	if (memory == NULL)
	{
		snprintf(file, sizeof file, "%s.npy", name);
		memory = map_file(folder, file, &bytes);
		if (memory == NULL)
			bench_fail("%s holds neither %s.bin nor %s.npy", folder, name,
					   name);
		if (bytes < 10 || memcmp(memory, "\x93NUMPY\x01", 7) != 0)
			bench_fail("%s/%s is not a NumPy array of version 1", folder, file);
		header = 10 + memory[8] + 256 * memory[9];
		if (header > bytes || memmem(memory, header, "'|u1'", 5) == NULL ||
			memmem(memory, header, "'fortran_order': False", 22) == NULL)
			bench_fail("%s/%s is not a uint8 array in C order", folder, file);
	}
	if ((bytes - header) % code_bytes != 0)
		bench_fail("%s/%s holds %zu bytes, no multiple of a code's %zu", folder,
				   file, bytes - header, code_bytes);
	*count = (bytes - header) / code_bytes;
	return memory + header;
}

static void
open_labels(BenchSet *set)
{
	size_t bytes;
	const char *text = map_file(set->folder, "labels.txt", &bytes);
	const char *end = text + bytes;

	if (text == NULL)
		return;
	set->column.label = map_exactly(set->folder, "label.bin", 2 * set->rows);
	set->labels = bench_alloc(sizeof(char *) * bytes);
	while (text < end)
	{
		const char *line = memchr(text, '\n', end - text);

		if (line == NULL)
			line = end;
		set->labels[set->label_count++] = strndup(text, line - text);
		text = line + 1;
	}
}

static void
open_columns(BenchSet *set)
{
	BenchColumns *column = &set->column;
	const char *folder = set->folder;
	size_t rows = set->rows;

	column->cat = map_exactly(folder, "cat.bin", 2 * rows);
	column->nul = map_exactly(folder, "nul.bin", 2 * rows);
	column->near64 = map_exactly(folder, "near64.bin", 2 * rows);
	column->near4096 = map_exactly(folder, "near4096.bin", 2 * rows);
	column->tags = map_exactly(folder, "tags.bin", 8 * rows);
	for (int i = 0; i < BENCH_FINE; i++)
	{
		char name[32];

		snprintf(name, sizeof name, "fine%d.bin", i);
		column->fine[i] = map_exactly(folder, name, 2 * rows);
	}
	set->params =
		map_exactly(folder, "params.bin", sizeof(BenchParams) * set->queries);
}

void
bench_open(BenchSet *set, const char *folder, BenchNeed need)
{
	size_t bytes;
	const char *dims = map_file(folder, "dims", &bytes);

	memset(set, 0, sizeof *set);
	set->folder = folder;
	if (dims == NULL)
		bench_fail("%s/dims is missing", folder);
	set->bytes = strtoul(dims, NULL, 10) / 8;
	if (set->bytes == 0)
		bench_fail("%s/dims: %s", folder, "expected a multiple of 8 bits");
	set->codes = map_codes(folder, "codes", set->bytes, &set->rows);
	set->query_codes = map_codes(folder, "queries", set->bytes, &set->queries);
	open_labels(set);
	if (need >= BENCH_RND)
		set->column.rnd = map_exactly(folder, "rnd.bin", 4 * set->rows);
	if (need >= BENCH_COLUMNS)
		open_columns(set);
	if (need >= BENCH_TRUTH)
		set->truth =
			map_exactly(folder, "truth.bin",
						sizeof(BenchTruth) * set->queries * bench_filter_count);
}

/* Filters */

#define TAG(t) ((uint64_t) 1 << (t))
#define RANGE 50000

MATCH(cat, column->cat[i] == query->cat)
MATCH(range,
	  column->rnd[i] >= query->low && column->rnd[i] < query->low + RANGE)
MATCH(tenth, column->rnd[i] < 100000)
MATCH(hundredth, column->rnd[i] < 10000)
MATCH(thousandth, column->rnd[i] < 1000)
MATCH(least, column->rnd[i] < 100)
MATCH(any, (column->tags[i] & (TAG(query->any[0]) | TAG(query->any[1]))) != 0)
MATCH(both,
	  (~column->tags[i] & (TAG(query->both[0]) | TAG(query->both[1]))) == 0)
MATCH(two, column->cat[i] == query->cat && column->rnd[i] < 100000)
MATCH(null, column->nul[i] == BENCH_NULL)
MATCH(not_null, column->nul[i] != BENCH_NULL)
MATCH(label, column->label != NULL &&
				 strcmp(set->labels[column->label[i]], BENCH_LABEL) == 0)

BIND(cat, query->cat, 0)
BIND(range, query->low, query->low + RANGE)

static void
bind_any(const BenchParams *query, char text[2][32])
{
	snprintf(text[0], 32, "{%d,%d}", query->any[0], query->any[1]);
}

static void
bind_both(const BenchParams *query, char text[2][32])
{
	snprintf(text[0], 32, "{%d,%d}", query->both[0], query->both[1]);
}

const BenchFilter bench_filters[] = {
	{"none", "true", "", match_all, NULL},
	{"= (5 %)", "cat = $2", "smallint", match_cat, bind_cat},
	{"range (5 %)", "rnd >= $2 AND rnd < $3", "integer,integer", match_range,
	 bind_range},
	{"random 10 %", "rnd < 100000", "", match_tenth, NULL},
	{"random 1 %", "rnd < 10000", "", match_hundredth, NULL},
	{"random 0.1 %", "rnd < 1000", "", match_thousandth, NULL},
	{"random 0.01 %", "rnd < 100", "", match_least, NULL},
	{"array &&", "tags && $2", "integer[]", match_any, bind_any},
	{"array @>", "tags @> $2", "integer[]", match_both, bind_both},
	{"AND of two (0.5 %)", "cat = $2 AND rnd < 100000", "smallint", match_two,
	 bind_cat},
	{"IS NULL (5 %)", "nul IS NULL", "", match_null, NULL},
	{"IS NOT NULL (95 %)", "nul IS NOT NULL", "", match_not_null, NULL},
	{"own 1/64", "near64 = $2", "smallint", match_own64, bind_own64},
	{"opposite 1/64", "near64 = $2", "smallint", match_opposite64,
	 bind_opposite64},
	{"own 1/4096", "near4096 = $2", "smallint", match_own4096, bind_own4096},
	{"opposite 1/4096", "near4096 = $2", "smallint", match_opposite4096,
	 bind_opposite4096},
	{"finer than a block", "fine%d = $2", "smallint", match_fine, bind_fine},
	{"label " BENCH_LABEL, "label = '" BENCH_LABEL "'", "", match_label, NULL},
};

const int bench_filter_count = sizeof bench_filters / sizeof bench_filters[0];

int
bench_label_filter(void)
{
	return bench_filter_count - 1;
}

/* Truth */

/* Rows whose masks are made at a time: what stays in the first-level cache */
#define CHUNK 8192

void
bench_distances(const BenchSet *set, size_t query, uint16_t *distances)
{
	const uint8_t *code = set->query_codes + query * set->bytes;

	if (set->bytes * 8 > UINT16_MAX)
		bench_fail("codes of %zu bits are longer than %d", set->bytes * 8,
				   UINT16_MAX);
	for (size_t i = 0; i < set->rows; i++)
		distances[i] = (uint16_t) bench_hamming(
			code, set->codes + i * set->bytes, set->bytes);
}

/*
 * Distances are small whole numbers, so a histogram of the matching rows'
 * distances holds every k-th at once and ties need no order.
 */
void
bench_find_truth(const BenchSet *set, const BenchFilter *filter, size_t query,
				 const uint16_t *distances, BenchTruth *truth)
{
	size_t bits = set->bytes * 8;
	uint32_t *histogram = bench_alloc(sizeof(uint32_t) * (bits + 1));
	uint8_t mask[CHUNK];
	int next = 0;

	memset(truth, 0, sizeof *truth);
	for (size_t i = 0; i < set->rows; i += CHUNK)
	{
		size_t n = set->rows - i < CHUNK ? set->rows - i : CHUNK;

		filter->match(set, set->params + query, i, n, mask);
		for (size_t j = 0; j < n; j++)
			histogram[distances[i + j]] += mask[j];
	}
	for (size_t d = 0; d <= bits; d++)
	{
		truth->matches += histogram[d];
		while (next < BENCH_KS && truth->matches >= (uint32_t) bench_k[next])
			truth->kth[next++] = (uint16_t) d;
	}
	/* Fewer matches than k: the farthest is the min(k, matches)-th */
	for (size_t d = bits + 1; truth->matches > 0 && next < BENCH_KS && d-- > 0;)
		while (next < BENCH_KS && histogram[d] > 0)
			truth->kth[next++] = (uint16_t) d;
	free(histogram);
}
