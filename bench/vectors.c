/*
 * vectors.c
 *	  Sparse vectors for the benchmark: generated from a seed, or WordNet's.
 *
 *	vectors generate FOLDER ROWS QUERIES [SEED]
 *	vectors wordnet SOURCE FOLDER
 *
 * Generated documents have 120 weights of 30,000 dimensions: two thirds drawn
 * from two topics of 2,000 (some much more frequent than others; 400 dimensions
 * each, the first ones likelier), the rest from the whole vocabulary, whose
 * frequencies fall with the rank (Zipf).  Dimensions of topics weigh more.
 * Queries are drawn likewise, with 40 weights.  Only sums, products and
 * quotients: the same seed gives the same files on every machine.
 *
 * WordNet's are read from sparse.docs.{indptr,indices,codes,lut} (uint32,
 * uint16.zst, uint8.zst, float: weight = lut[code]), sparse.queries.{indptr,
 * indices,data} and docs.tsv.zst with a header line, whose column lexname
 * becomes the label.  Needs the zstd command.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vectors.h"

#define DIMS 30000
#define TOPICS 2000
#define TOPIC_DIMS 400
#define DOC_NNZ 120
#define QUERY_NNZ 40
#define MAX_LABELS 1000

/* Streams of random numbers: one a use */
enum
{
	STREAM_TOPIC = 1001,
	STREAM_ROW,
	STREAM_QUERY,
	STREAM_RND
};

/* ---- generated ---- */

/* Cumulated shares of 1/rank */
typedef struct Zipf
{
	int count;
	double sums[DIMS];
} Zipf;

static void
make_zipf(Zipf *zipf, int count)
{
	double sum = 0;

	zipf->count = count;
	for (int i = 0; i < count; i++)
		zipf->sums[i] = sum += 1.0 / (i + 1);
}

static double
uniform(uint64_t bits)
{
	return (double) (bits >> 11) / 9007199254740992.0;
}

/* 0 .. count-1, the i-th with a share of 1/(i+1) */
static int
draw_zipf(const Zipf *zipf, uint64_t bits)
{
	double at = uniform(bits) * zipf->sums[zipf->count - 1];
	int low = 0;
	int high = zipf->count - 1;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (zipf->sums[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

typedef struct Generator
{
	uint64_t seed;
	Zipf words;
	Zipf topic_words;
	int32_t (*topics)[TOPIC_DIMS];
} Generator;

static int
compare_dims(const void *a, const void *b)
{
	int32_t x = *(const int32_t *) a, y = *(const int32_t *) b;

	return (x > y) - (x < y);
}

/* Draw a vector of so many weights; `number` of the stream */
static void
draw(const Generator *g, uint64_t stream, uint64_t number, int nnz,
	 int32_t *dims, float *weights)
{
	static float weight_of[DIMS];
	uint64_t at = number << 12;
	int topic[2];
	int count = 0;

	for (int t = 0; t < 2; t++)
	{
		double u = uniform(bench_random(g->seed + stream, at++));

		topic[t] = (int) (u * u * TOPICS);
	}
	while (count < nnz)
	{
		uint64_t which = bench_random(g->seed + stream, at++);
		uint64_t word = bench_random(g->seed + stream, at++);
		double u = uniform(bench_random(g->seed + stream, at++));
		bool of_topic = which % 3 != 0;
		int dim = of_topic ? g->topics[topic[which / 3 % 3 == 0]]
									  [draw_zipf(&g->topic_words, word)]
						   : draw_zipf(&g->words, word);

		if (weight_of[dim] != 0)
			continue;
		weight_of[dim] =
			(float) (of_topic ? 0.5 + 2 * u * u : 0.1 + 0.8 * u * u);
		dims[count++] = dim;
	}
	qsort(dims, nnz, sizeof(int32_t), compare_dims);
	for (int i = 0; i < nnz; i++)
	{
		weights[i] = weight_of[dims[i]];
		weight_of[dims[i]] = 0;
	}
}

/* Write one of the arrays of "docs" or "queries". */
static void
write_array(const char *folder, const char *what, const char *array,
			const void *data, size_t bytes)
{
	char name[64];

	snprintf(name, sizeof name, "%s.%s.bin", what, array);
	bench_write(folder, name, data, bytes);
}

static void
write_vectors(const char *folder, const char *what, size_t count,
			  const uint64_t *start, const int32_t *dims, const float *weights)
{
	write_array(folder, what, "start", start, (count + 1) * sizeof(uint64_t));
	write_array(folder, what, "dims", dims, start[count] * sizeof(int32_t));
	write_array(folder, what, "weights", weights, start[count] * sizeof(float));
}

static void
generate(const Generator *g, const char *folder, const char *what,
		 uint64_t stream, size_t count, int nnz)
{
	uint64_t *start = bench_alloc((count + 1) * sizeof(uint64_t));
	int32_t *dims = bench_alloc(count * nnz * sizeof(int32_t));
	float *weights = bench_alloc(count * nnz * sizeof(float));

	for (size_t i = 0; i < count; i++)
	{
		start[i + 1] = (i + 1) * nnz;
		draw(g, stream, i, nnz, dims + i * nnz, weights + i * nnz);
	}
	write_vectors(folder, what, count, start, dims, weights);
	free(start);
	free(dims);
	free(weights);
}

static void
generate_all(const char *folder, size_t rows, size_t queries, uint64_t seed)
{
	static Generator g;

	g.seed = seed;
	make_zipf(&g.words, DIMS);
	make_zipf(&g.topic_words, TOPIC_DIMS);
	g.topics = bench_alloc(TOPICS * sizeof(*g.topics));
	for (int t = 0; t < TOPICS; t++)
		for (int i = 0; i < TOPIC_DIMS; i++)
			g.topics[t][i] = (int32_t) (bench_random(seed + STREAM_TOPIC,
													 t * TOPIC_DIMS + i) %
										DIMS);
	generate(&g, folder, "docs", STREAM_ROW, rows, DOC_NNZ);
	generate(&g, folder, "queries", STREAM_QUERY, queries, QUERY_NNZ);
}

/* ---- WordNet's ---- */

/* Read the output of zstd, of so many bytes. */
static void *
unpack(const char *source, const char *name, size_t bytes)
{
	char command[4200];
	char *data = bench_alloc(bytes);
	FILE *file;

	snprintf(command, sizeof command, "zstd -dcq '%s/%s'", source, name);
	file = popen(command, "r");
	if (file == NULL || fread(data, 1, bytes, file) != bytes ||
		fgetc(file) != EOF || pclose(file) != 0)
		bench_fail("%s does not hold %zu bytes", name, bytes);
	return data;
}

/* Write vectors whose places are uint32, dimensions uint16. */
static void
convert(const char *folder, const char *what, const uint32_t *places,
		size_t count, const uint16_t *indices, const float *weights)
{
	uint64_t *start = bench_alloc((count + 1) * sizeof(uint64_t));
	int32_t *dims = bench_alloc(places[count] * sizeof(int32_t));

	for (size_t i = 0; i <= count; i++)
		start[i] = places[i];
	for (size_t i = 0; i < places[count]; i++)
		dims[i] = indices[i];
	write_vectors(folder, what, count, start, dims, weights);
	free(start);
	free(dims);
}

static size_t
convert_all(const char *source, const char *folder)
{
	size_t bytes, other, rows;
	const uint32_t *places =
		bench_map(source, "sparse.docs.indptr.u32", &bytes);
	const float *table = bench_map(source, "sparse.docs.lut.f32", &other);
	const uint16_t *indices;
	const uint8_t *codes;
	float *weights;

	rows = bytes / sizeof(uint32_t) - 1;
	indices = unpack(source, "sparse.docs.indices.u16.zst",
					 places[rows] * sizeof(uint16_t));
	codes = unpack(source, "sparse.docs.codes.u8.zst", places[rows]);
	weights = bench_alloc(places[rows] * sizeof(float));
	for (size_t i = 0; i < places[rows]; i++)
		weights[i] = table[codes[i]];
	convert(folder, "docs", places, rows, indices, weights);

	places = bench_map(source, "sparse.queries.indptr.u32", &bytes);
	convert(folder, "queries", places, bytes / sizeof(uint32_t) - 1,
			bench_map(source, "sparse.queries.indices.u16", &other),
			bench_map(source, "sparse.queries.data.f32", &other));
	return rows;
}

/* The label of each row: field `lexname` of its line */
static void
convert_labels(const char *source, const char *folder, size_t rows)
{
	static char *names[MAX_LABELS];
	int16_t *label = bench_alloc(rows * sizeof(int16_t));
	char *line = NULL, command[4200], text[65536] = "";
	size_t size = 0, at = 0;
	int count = 0, field = -1;
	FILE *file;

	snprintf(command, sizeof command, "zstd -dcq '%s/docs.tsv.zst'", source);
	file = popen(command, "r");
	while (file != NULL && getline(&line, &size, file) >= 0 && at <= rows)
	{
		char *rest = line, *value;
		int f = 0, l = 0;

		line[strcspn(line, "\n")] = '\0';
		while ((value = strsep(&rest, "\t")) != NULL && f != field)
			if (field < 0 && strcmp(value, "lexname") == 0)
				break;
			else
				f++;
		if (value == NULL)
			bench_fail("docs.tsv.zst: line %zu has no lexname", at + 1);
		if (field < 0)
		{
			field = f;
			continue;
		}
		while (l < count && strcmp(names[l], value) != 0)
			l++;
		if (l == MAX_LABELS)
			bench_fail("more than %d labels", MAX_LABELS);
		if (l == count)
			names[count++] = strdup(value);
		if (at < rows)
			label[at] = (int16_t) l;
		at++;
	}
	if (file == NULL || pclose(file) != 0 || at != rows)
		bench_fail("docs.tsv.zst has %zu rows, expected %zu", at, rows);
	for (int l = 0; l < count; l++)
		strcat(strcat(text, names[l]), "\n");
	bench_write(folder, "labels.txt", text, strlen(text));
	bench_write(folder, "label.bin", label, rows * sizeof(int16_t));
}

/* ---- both ---- */

int
main(int argc, char **argv)
{
	bool made = argc >= 5 && strcmp(argv[1], "generate") == 0;
	const char *folder;
	int32_t *rnd;
	size_t rows;

	if (!made && !(argc == 4 && strcmp(argv[1], "wordnet") == 0))
		bench_fail("usage: vectors generate FOLDER ROWS QUERIES [SEED]"
				   " or vectors wordnet SOURCE FOLDER");
	folder = argv[made ? 2 : 3];
	(void) mkdir(folder, 0777);
	if (made)
	{
		rows = strtoul(argv[3], NULL, 10);
		generate_all(folder, rows, strtoul(argv[4], NULL, 10),
					 argc > 5 ? strtoul(argv[5], NULL, 10) : 0);
	}
	else
	{
		rows = convert_all(argv[2], folder);
		convert_labels(argv[2], folder, rows);
	}
	rnd = bench_alloc(rows * sizeof(int32_t));
	for (size_t i = 0; i < rows; i++)
		rnd[i] = (int32_t) (bench_random(STREAM_RND, i) % 1000000);
	bench_write(folder, "rnd.bin", rnd, rows * sizeof(int32_t));
	bench_write(folder, "dims", "30000\n", 6);
	return 0;
}
